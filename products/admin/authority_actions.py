"""What a person can do on the page of a CA certificate."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.errors import DomainError
from console.shared.page_actions import Occasion, PageAction
from products.admin.authority_forms import CertificateForm, NameForm, RevokeForm, ServedForm, WithoutProofForm
from products.admin.forms import ReasonForm
from products.models import AuthorityState, CertificateAuthority
from products.services import authority_proof, authority_states, authority_upkeep

CHANGE = "products.change_certificateauthority"
State = AuthorityState


def _calls(service: Callable[..., Any], *fields: str) -> Callable[[Occasion], None]:
    """Runs a service with these fields of the dialog."""

    def run(occasion: Occasion) -> None:
        given = {name: occasion.data[name] for name in fields}
        service(occasion.target.pk, **given, by=occasion.by, at=occasion.at)

    return run


def _prove(occasion: Occasion) -> None:
    authority_proof.prove(occasion.target.pk, occasion.data["content"], by=occasion.by, at=occasion.at)


def _in(*states: State) -> Callable[[CertificateAuthority], bool]:
    return lambda authority: authority.state in states


def _can_be_activated(authority: CertificateAuthority) -> bool:
    return authority.state in {State.VERIFIED, State.INACTIVE} and not authority.has_ended(timezone.now())


def _can_be_removed(authority: CertificateAuthority) -> bool:
    try:
        authority_upkeep.refuse_removal(authority)
    except DomainError:
        return False
    return True


def _served(authority: CertificateAuthority) -> dict[str, Any]:
    return {"products": list(authority.products.values_list("pk", flat=True))}


AUTHORITY_ACTIONS = (
    PageAction(
        name="prove",
        permission=CHANGE,
        label=_("Upload the verification certificate"),
        title=_("Prove that you hold the private key"),
        words=(_("The certificate that the lines on this page make: signed with the CA's key, with the code as its common name (CN)."),),
        confirm=_("Check it"),
        done=_("It is proven: the CA certificate is verified. Devices pass once it is active."),
        form=CertificateForm,
        run=_prove,
        offered=_in(State.PENDING),
        primary=True,
        icon="upload_file",
        then="activate",
    ),
    PageAction(
        name="new_code",
        permission=CHANGE,
        label=_("New code"),
        title=_("Make a new proof code?"),
        words=(_("It is good for seven days and one use. The code before it is void."),),
        confirm=_("Make a new code"),
        done=_("There is a new proof code."),
        run=_calls(authority_proof.new_code),
        offered=_in(State.PENDING),
    ),
    PageAction(
        name="accept_without_proof",
        permission="products.accept_without_proof",
        label=_("Accept without proof"),
        title=_("Accept this CA certificate without proof?"),
        words=(_("For a CA whose key nobody at hand can sign with: an offline root, or a supplier's CA."),),
        warnings=(
            _("Whoever holds the CA's private key can have any device let in. The proof would show that it is you."),
            _("That it was accepted without proof, by whom and why stays on its page and in the audit log."),
        ),
        confirm=_("Accept without proof"),
        done=_("The CA certificate was accepted without proof."),
        form=WithoutProofForm,
        run=_calls(authority_proof.accept_without_proof, "reason"),
        offered=_in(State.PENDING),
        danger=True,
        guarded=True,
    ),
    PageAction(
        name="activate",
        permission=CHANGE,
        label=_("Activate"),
        title=_("Activate this CA certificate?"),
        words=(
            _("Devices of the products that it serves can come with certificates of this CA from now on."),
            _("A product may have several active ones: that is how its devices move from an ending CA to the next."),
        ),
        confirm=_("Activate"),
        done=_("The CA certificate is active."),
        run=_calls(authority_states.activate),
        offered=_can_be_activated,
        primary=True,
        icon="verified_user",
    ),
    PageAction(
        name="deactivate",
        permission=CHANGE,
        label=_("Deactivate"),
        title=_("Deactivate this CA certificate?"),
        words=(_("Devices with certificates of this CA are refused until it is active again, and those connected are cut off."),),
        warnings=(_("If it is the only active one of a product, none of its devices with certificates gets in any more."),),
        confirm=_("Deactivate"),
        done=_("The CA certificate is inactive."),
        form=ReasonForm,
        run=_calls(authority_states.deactivate, "reason"),
        offered=_in(State.ACTIVE),
        danger=True,
    ),
    PageAction(
        name="serve",
        permission=CHANGE,
        label=_("Choose products"),
        title=_("Which products does it serve?"),
        words=(
            _("Certificates of this CA count for devices of these products and no others. Others that are connected by one are cut off."),
        ),
        confirm=_("Save"),
        done=_("The products of the CA certificate were changed."),
        form=ServedForm,
        initial=_served,
        run=_calls(authority_upkeep.set_products, "products"),
        offered=lambda authority: authority.state != State.REVOKED,
    ),
    PageAction(
        name="edit",
        permission=CHANGE,
        label=_("Rename"),
        title=_("Rename the CA certificate"),
        confirm=_("Save"),
        done=_("The CA certificate was renamed."),
        form=NameForm,
        initial=lambda authority: {"name": authority.name},
        run=_calls(authority_upkeep.rename, "name"),
        icon="edit",
    ),
    PageAction(
        name="revoke",
        permission=CHANGE,
        label=_("Revoke"),
        title=_("Revoke this whole CA?"),
        words=(_("For a private key that is lost or known to others. No certificate of this CA counts any more, for any product."),),
        warnings=(
            _("Devices that are connected by one are cut off."),
            _("It cannot be taken back, and the same certificate cannot be uploaded again."),
            _("To refuse its devices only for a while, deactivate it."),
        ),
        confirm=_("Revoke the CA"),
        done=_("The CA certificate is revoked."),
        form=RevokeForm,
        run=_calls(authority_states.revoke, "reason"),
        offered=lambda authority: authority.state != State.REVOKED,
        danger=True,
        guarded=True,
    ),
    PageAction(
        name="remove",
        permission="products.delete_certificateauthority",
        label=_("Remove"),
        title=_("Remove this CA certificate?"),
        words=(_("No device has connected with a certificate of this CA. It can be uploaded again."),),
        confirm=_("Remove"),
        done=_("The CA certificate was removed."),
        form=ReasonForm,
        run=_calls(authority_upkeep.remove, "reason"),
        offered=_can_be_removed,
        danger=True,
    ),
)
