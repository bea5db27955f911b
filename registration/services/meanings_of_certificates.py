"""What each refusal of a certificate means, what usually causes it, and what an operator can do about it."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from registration.decision_codes import DecisionCode
from registration.services.meaning import Meaning, Place

_NEW_ONE: Final = _("Give the device a certificate without this fault. No switch lets such a one pass.")
_CORRECT_THE_CA: Final = _("Have the CA's operator correct its certificate, upload the new one, and issue the devices' certificates by it.")

MEANINGS: Final[Mapping[str, Meaning]] = {
    DecisionCode.NO_CERTIFICATE: Meaning(
        _("The client presented no certificate where only devices with certificates come in."),
        _("Firmware that was not given its certificate, a device of another authentication, or a stranger who tries the port."),
        _("Give the device its certificate and key, or let it call the address for devices with secrets."),
    ),
    DecisionCode.PROXY_REFUSED_CERTIFICATE: Meaning(
        _("The proxy in front of us did not accept the certificate, so that we did not judge it."),
        _("A CA that the proxy does not have, a certificate that has ended, or one of another purpose; the entry has the proxy's number."),
        _("Give the proxy the CA certificates that are active here, and reload it."),
        Place.BROKERS,
    ),
    DecisionCode.CERTIFICATE_REFUSED: Meaning(
        _("The certificate was not accepted."),
        _("The last sentence of the path says why."),
        _NEW_ONE,
    ),
    DecisionCode.CERTIFICATE_UNREADABLE: Meaning(
        _("What was presented is no certificate, or breaks the rules of its encoding."),
        _("A certificate that was made by a faulty tool, one that was damaged on the way, or somebody who tries what we take."),
        _("Look at the certificate with openssl x509 -text, and have it issued anew."),
    ),
    DecisionCode.CERTIFICATE_ISSUER_UNKNOWN: Meaning(
        _("The certificate was not issued by a CA of this product."),
        _("A CA certificate that is not on file for this product, an intermediate certificate that did not come along, or a stranger."),
        _("Upload the CA that issued it, prove it and choose the product; or let the device send the intermediate certificate too."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_BAD_SIGNATURE: Meaning(
        _("The certificate bears the name of a CA of this product, but was not signed with its key."),
        _("Two CAs of the same name, as after one was made anew with another key; or a forgery."),
        _("Upload the CA certificate whose key signed it. If none of yours did, it is an attack that has failed."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_CA_INACTIVE: Meaning(
        _("The certificate leads to a CA certificate of this product that is not active."),
        _("It was uploaded and not proven or not activated yet, or somebody switched it off or revoked it."),
        _("Activate the CA certificate if its devices may come in. After a revocation they need certificates of another CA."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_EXPIRED: Meaning(
        _("A certificate on the path has ended: the device's own, or one above it. The entry says which."),
        _("A device that was long in a warehouse, one that never fetched its next certificate, or a CA at the end of its years."),
        _("Issue the device a new certificate. If the CA has ended, upload the one that follows it."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_NOT_YET_VALID: Meaning(
        _("A certificate on the path is not valid yet."),
        _("The clock of the machine that issued it was ahead, or ours is behind."),
        _("Compare both clocks. Issue certificates with a beginning some hours in the past."),
    ),
    DecisionCode.CERTIFICATE_ISSUER_NO_CA: Meaning(
        _("What issued the certificate is no CA (CA:TRUE is missing)."),
        _("An intermediate certificate that was made without basicConstraints, or a device that signed for another one."),
        _CORRECT_THE_CA,
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_ISSUER_MAY_NOT_SIGN: Meaning(
        _("What issued the certificate has a key usage without keyCertSign."),
        _("A CA certificate that was made for another purpose."),
        _CORRECT_THE_CA,
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_PATH_LENGTH: Meaning(
        _("A CA certificate on the path allows fewer intermediate certificates below it."),
        _("An intermediate CA that was made below one with pathlen:0."),
        _("Issue the devices' certificates by the upper CA, or have that one renewed with a greater pathlen."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_PATH_TOO_LONG: Meaning(
        _("The path has more certificates than are followed."),
        _("More than five intermediate certificates, or a tangle of CAs that sign each other."),
        _("Upload the CA certificate that is nearest to the devices: then the path is short."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_KEY_USAGE: Meaning(
        _("The device's certificate has a key usage without digitalSignature, which TLS needs."),
        _("A certificate that was made for encryption, or by a profile for something else."),
        _NEW_ONE,
    ),
    DecisionCode.CERTIFICATE_EXTENDED_KEY_USAGE: Meaning(
        _("The device's certificate is not for TLS clients (clientAuth)."),
        _("A server's certificate on a device, or a profile for something else."),
        _NEW_ONE,
    ),
    DecisionCode.CERTIFICATE_IS_CA: Meaning(
        _("A CA's own certificate was presented as a device's."),
        _("A self-signed certificate, which openssl req -x509 makes as one of a CA; or the wrong file on the device."),
        _("Give each device a certificate that a CA has issued, with CA:FALSE."),
    ),
    DecisionCode.CERTIFICATE_WEAK_SIGNATURE: Meaning(
        _("A certificate on the path is signed with MD5, SHA-1 or another algorithm that proves nothing any more."),
        _("An old CA, or an old profile of one."),
        _NEW_ONE,
    ),
    DecisionCode.CERTIFICATE_WEAK_KEY: Meaning(
        _("A certificate on the path has a key that is too short, or of a kind that is not accepted."),
        _("RSA of 1024 bits, or a curve that hardly anybody uses."),
        _NEW_ONE,
    ),
    DecisionCode.CERTIFICATE_CRITICAL_EXTENSION: Meaning(
        _("A certificate on the path demands that an extension be understood which is not."),
        _("A profile of a public CA, or an extension of a vendor's own that is marked as critical."),
        _("Have the extension marked as not critical, or left out."),
    ),
    DecisionCode.CERTIFICATE_NAME_CONSTRAINT: Meaning(
        _("A CA on the path may not issue certificates for such names."),
        _("The CA is limited to the names of another department or customer."),
        _("Have the certificate issued by the CA whose names these are."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_CONSTRAINT_UNKNOWN: Meaning(
        _("A CA on the path limits names in a way that is not checked here, so that nothing below it is accepted."),
        _("Name constraints of e-mail addresses, URIs or another rare form."),
        _("Upload a CA certificate without them, for instance the intermediate one below it."),
        Place.AUTHORITIES,
    ),
    DecisionCode.TOO_MANY_CERTIFICATES: Meaning(
        _("More certificates were presented than a path can have."),
        _("A device that sends a whole list of CAs along with its own certificate."),
        _("Let the device send its own certificate and those between it and the CA, and nothing else."),
    ),
    DecisionCode.CERTIFICATE_REVOKED: Meaning(
        _("A certificate on the path is revoked, by the CA's list or by somebody here. The entry says which, by whom and when."),
        _("A device that was reported lost, a key that became known, or a certificate that another one took the place of."),
        _("If the device is good, issue it a new certificate; what was revoked stays so."),
        Place.AUTHORITIES,
    ),
    DecisionCode.DEVICE_CERTIFICATE_REVOKED: Meaning(
        _("Somebody has revoked all certificates of this device."),
        _("The device or its key was taken to be in wrong hands; the audit log says who did it and why."),
        _("If it may come back, give it a new certificate and reset the pin on its page."),
        Place.DEVICE,
    ),
    DecisionCode.REVOCATION_LIST_OLD: Meaning(
        _("The CA's revocation list is too old, so that nobody can say whether the certificate still holds."),
        _("The list is not fetched any more: its address has changed, or the CA's own service is down."),
        _("Fetch or upload a new list at the CA certificate, or let an old list count on the product's page."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CERTIFICATE_NAME_MISSING: Meaning(
        _("The certificate has no DeviceName where this product's devices have it."),
        _("The DeviceName stands in another field than the product's setting says, or was forgotten when the certificate was made."),
        _("Change on the product's page where the DeviceName stands, or issue certificates that have it there."),
        Place.PRODUCT,
    ),
    DecisionCode.CERTIFICATE_NAME_AMBIGUOUS: Meaning(
        _("The certificate has several names where one DeviceName is looked for."),
        _("A certificate with several CNs, or with further alternative names such as an address."),
        _("Change on the product's page where the DeviceName stands, or issue certificates with one name there."),
        Place.PRODUCT,
    ),
    DecisionCode.CERTIFICATE_OTHER_NAME: Meaning(
        _("The certificate is of one device, and the client connects under the name of another."),
        _("A user name or a certificate that was copied from another device, or a device that tries to pass for another."),
        _("Compare both names in the entry: correct the firmware's user name, or give the device its own certificate."),
        Place.DEVICE,
    ),
    DecisionCode.CERTIFICATE_NOT_PINNED: Meaning(
        _("The certificate is good and bears the device's name, but it is not the one that is expected of this device."),
        _("The device was given a new certificate, the fingerprint in the workbook was another's, or a second device has the same name."),
        _("Compare the expected and the seen fingerprint. If it is the right device, type the seen one as its next, or reset its pin."),
        Place.DEVICE,
    ),
    DecisionCode.PRODUCT_NOT_NAMED: Meaning(
        _("Nothing said of which product the device is."),
        _("An empty user name, and a CA that serves several products or none."),
        _("Let the device send a user name, let the proxy name the product, or choose a single product at the CA certificate."),
        Place.AUTHORITIES,
    ),
    DecisionCode.CSR_MISSING: Meaning(
        _("The product hands its devices certificates, and the device sent no request for one (CSR)."),
        _("Firmware that expects a DeviceSecret, or that makes no key of its own."),
        _("Build the firmware with a certificate request, or switch the certificates off on the product's page."),
        Place.PRODUCT,
    ),
    DecisionCode.CSR_NOT_TAKEN: Meaning(
        _("The device sent a certificate request, and this product hands out no certificates."),
        _("Certificates were never switched on for the product, or somebody switched them off."),
        _("Switch on that registration answers with a certificate, on the product's page."),
        Place.PRODUCT,
    ),
    DecisionCode.BAD_CSR: Meaning(
        _("The certificate request was not accepted."),
        _("A request for another name than the device's, a weak key, or one that is not signed with its own key."),
        _("The last sentence of the path says what is wrong with it. Correct the firmware."),
    ),
    DecisionCode.NO_ISSUING_CA: Meaning(
        _("The product has no CA that could issue a certificate."),
        _("None was made yet, or it was retired."),
        _("Make or name an issuing CA on the product's page. The device tries again by itself."),
        Place.PRODUCT,
    ),
    DecisionCode.ISSUING_FAILED: Meaning(
        _("The certificate could not be issued."),
        _("The CA outside did not answer or refused, or the issuing CA has ended."),
        _("Look at the last sentence of the path, and at the issuing CA on the product's page. The device tries again by itself."),
        Place.PRODUCT,
    ),
}
