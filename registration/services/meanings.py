"""What each decision means, what usually causes it, and what an operator can do about it (N2)."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from registration.decision_codes import DecisionCode
from registration.services import meanings_of_certificates
from registration.services.meaning import Meaning, Place

__all__ = ["MEANINGS", "Meaning", "Place", "of"]

MEANINGS: Final[Mapping[str, Meaning]] = {
    DecisionCode.ACCEPTED: Meaning(
        _("The device was let in."),
        _("Everything that was checked was right."),
        _("Nothing is to be done."),
    ),
    DecisionCode.ENDED: Meaning(
        _("The connection has ended."),
        _("The device left, lost its network, or another connection took its place."),
        _("Nothing is to be done, unless it happens again and again: then look at the timeline on the device's page."),
        Place.DEVICE,
    ),
    DecisionCode.MALFORMED: Meaning(
        _("The request could not be read."),
        _("Firmware of another protocol or version, a proxy that changes requests, or a stranger who tries the port."),
        _("Compare the request with the vendor's document. Where it comes from addresses that are not yours, nothing is to be done."),
    ),
    DecisionCode.PRODUCT_UNKNOWN: Meaning(
        _("No product has this ProductKey."),
        _("A ProductKey that was mistyped in the firmware, or firmware of a product that is registered elsewhere."),
        _("Compare the ProductKey with that of the product's page: correct the firmware, or create the product with that key."),
    ),
    DecisionCode.PRODUCT_NOT_PUBLISHED: Meaning(
        _("The product is still in development, and only devices of published products register."),
        _("Devices were flashed before the product was published."),
        _("Publish the product. The device tries again by itself."),
        Place.PRODUCT,
    ),
    DecisionCode.BAD_SIGNATURE: Meaning(
        _("The proof was not made with a secret of ours."),
        _("A wrong ProductSecret or DeviceSecret in the firmware, a text that is put together otherwise before it is signed, or a guess."),
        _("Sign the text that the entry shows with the secret that the device should have, and compare. Burn in the right secret."),
        Place.PRODUCT,
    ),
    DecisionCode.UNKNOWN_ALGORITHM: Meaning(
        _("The device signs by an algorithm that its scheme does not have here."),
        _("An SDK whose sign method was changed, or one of another vendor."),
        _("Set one of the sign methods that the vendor's document names."),
    ),
    DecisionCode.OUTSIDE_WINDOW: Meaning(
        _("The time in the request is too far from ours."),
        _("The device's clock was not set before it registered, or ours is wrong."),
        _("Let the device set its clock first (NTP), or widen the window (NAMEPLATE_TENCENT_WINDOW_SECONDS)."),
    ),
    DecisionCode.NONCE_USED: Meaning(
        _("This very request was seen before."),
        _("Firmware that draws the same nonce each time, a proxy that repeats requests, or somebody who recorded one."),
        _("Let the firmware draw a new nonce for each attempt. From a foreign address it is an attack that has failed."),
    ),
    DecisionCode.PER_PRODUCT_SECRET_OFF: Meaning(
        _("The product's devices may not be flashed with the per-product secret."),
        _("The flashing method was never enabled, or somebody disabled it."),
        _("Enable the per-product secret on the product's page if these devices are yours."),
        Place.PRODUCT,
    ),
    DecisionCode.DYNAMIC_REGISTRATION_OFF: Meaning(
        _("The product's door is closed: no device of it may register."),
        _("Dynamic registration was never turned on, or somebody turned it off."),
        _("Turn dynamic registration on, on the product's page. Devices that are activated already do not need it."),
        Place.PRODUCT,
    ),
    DecisionCode.BAD_DEVICE_NAME: Meaning(
        _("The DeviceName is not what this product's DeviceNames are."),
        _("Firmware that sends another identifier, as an SN where the product has MAC addresses, or a number that lost digits."),
        _("Correct the firmware. What DeviceNames are is fixed when the product is created."),
        Place.PRODUCT,
    ),
    DecisionCode.DEVICE_DISABLED: Meaning(
        _("Somebody disabled this device here."),
        _("An operator shut it out; the audit log says who and why."),
        _("Enable it on its page if it may come back."),
        Place.DEVICE,
    ),
    DecisionCode.ALREADY_ACTIVATED: Meaning(
        _("The device has its secret and has connected with it: it cannot obtain it again."),
        _("A device that lost its secret (a factory reset, a new flash memory), or a second device under the same name: a clone."),
        _("If it is the same device, reset it: it gets the same secret. If another took its place, delete it: the next gets a new one."),
        Place.DEVICE,
    ),
    DecisionCode.ALREADY_REGISTERED: Meaning(
        _("The device was handed its secret before, and this product lets a device register once."),
        _("Its first answer was lost on the way, or it forgot its secret before it connected."),
        _("Reset the device, or let the product's devices register until they are activated."),
        Place.DEVICE,
    ),
    DecisionCode.WRONG_AUTHENTICATION: Meaning(
        _("The device was imported to authenticate otherwise: its secret was burned in, or it has a certificate."),
        _("Dynamic firmware on a device that was imported as static or X.509, or a wrong choice in the workbook."),
        _("Flash what its row says, or change the row. A device that is in the device list keeps its own choice: delete it there."),
        Place.PRE_IMPORT,
    ),
    DecisionCode.NOT_IMPORTED: Meaning(
        _("Nobody said that this DeviceName may come."),
        _("A device that was left out of the workbook, a name spelt otherwise there, or a stranger who has the firmware."),
        _("Add the DeviceName to the pre-import list, or let unknown names be created up to a limit."),
        Place.PRE_IMPORT,
    ),
    DecisionCode.AUTO_CREATE_LIMIT: Meaning(
        _("The name is unknown, and no further one is created automatically."),
        _("As many devices came as the limit allows: more were made than planned, or somebody tries names."),
        _("Look who came. Raise the limit on the product's page, or import the names that are yours."),
        Place.PRODUCT,
    ),
    DecisionCode.PREREGISTRATION_FREE_OFF: Meaning(
        _("The device asks for a ClientID, which this product's devices are not given."),
        _("Firmware that is built for preregistration-free use, while the product is not."),
        _("Allow preregistration-free registration on the product's page, or build the firmware with pre-registration."),
        Place.PRODUCT,
    ),
    DecisionCode.CLIENT_LIMIT: Meaning(
        _("Five physical devices are active under this DeviceName, and there is no sixth place."),
        _("The same name was flashed into many devices, or it was copied."),
        _("Open the device: choose one of them (Switch) or forbid all (Clear). Give each device a name of its own."),
        Place.DEVICE,
    ),
    DecisionCode.CLIENT_ID_SWITCHED: Meaning(
        _("Somebody chose the one physical device that this name stands for; no other is registered."),
        _("A copy that was shut out by Switch and tries to come back."),
        _("Nothing, if the right one was chosen. Otherwise switch again, or clear all ClientIDs."),
        Place.DEVICE,
    ),
    DecisionCode.CLIENT_UNKNOWN: Meaning(
        _("This ClientID was not issued to this DeviceName in this data center."),
        _("A device that was registered in another data center, a ClientID that was deleted with its device, or a guess."),
        _("Let the device register again here. Compare the host name that it calls with those of the data centers."),
        Place.DEVICE,
    ),
    DecisionCode.CLIENT_FORBIDDEN: Meaning(
        _("Somebody forbade this ClientID."),
        _("It was shut out by Switch or by Clear."),
        _("A ClientID that Switch forbade can be chosen on the device's page; after Clear the device must register again."),
        Place.DEVICE,
    ),
    DecisionCode.CLIENT_ID_TAKEN: Meaning(
        _("Another device is connected at this broker under the same MQTT client id."),
        _("Firmware that sends a fixed MQTT client id for all devices."),
        _("Let each device make its MQTT client id from its own names, as its vendor's SDK does."),
        Place.DEVICE,
    ),
    DecisionCode.DEVICE_UNKNOWN: Meaning(
        _("No device and no pre-import row has this DeviceName."),
        _("A device that was deleted, that belongs to another data center, or that has not registered yet."),
        _("Let it register first, or add its name to the pre-import list."),
        Place.PRE_IMPORT,
    ),
    DecisionCode.BAD_CREDENTIAL: Meaning(
        _("The password was not made with this device's own secret."),
        _("The device was deleted and added anew, which changed its secret; it was flashed with that of another; or somebody guesses."),
        _("Reset the device and let it register again, or burn in the DeviceSecret of its page."),
        Place.DEVICE,
    ),
    DecisionCode.UNAVAILABLE: Meaning(
        _("We could not decide: something that is needed did not answer."),
        _("The database or the broker behind us was away, or too many devices came at once."),
        _("Look at the server's log at this time. The device tries again by itself."),
        Place.BROKERS,
    ),
    DecisionCode.INTERNAL: Meaning(
        _("Something happened that nobody foresaw."),
        _("A fault of this program, or of its installation, as a missing key ring."),
        _("Search the server's log for the number of the request, and tell whoever runs it."),
    ),
    **meanings_of_certificates.MEANINGS,
}


def of(code: str) -> Meaning:
    return MEANINGS[code if code in MEANINGS else DecisionCode.INTERNAL]
