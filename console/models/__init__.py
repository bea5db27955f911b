"""What the ground stores."""

from console.models.api_key import ApiKey
from console.models.audit import AuditEntry
from console.models.verification_code import VerificationCode

__all__ = ["ApiKey", "AuditEntry", "VerificationCode"]
