"""What the ground stores."""

from console.models.api_key import ApiKey
from console.models.audit import AuditEntry
from console.models.idempotent_answer import IdempotentAnswer
from console.models.list_view import ChosenColumns, SavedFilter
from console.models.sign_in import SignIn
from console.models.verification_code import VerificationCode

__all__ = ["ApiKey", "AuditEntry", "ChosenColumns", "IdempotentAnswer", "SavedFilter", "SignIn", "VerificationCode"]
