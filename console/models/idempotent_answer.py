"""Answers of the API that are kept for a while, so that a repeated request gets the same one again."""

from datetime import datetime
from typing import Self

from django.db import models

from console.shared.fields import SealedField


class IdempotentAnswerQuerySet(models.QuerySet["IdempotentAnswer"]):
    def claimed_before(self, moment: datetime) -> Self:
        return self.filter(claimed_at__lt=moment)


class IdempotentAnswer(models.Model):
    """One idempotency key of one caller: claimed while its request runs, answered afterwards.

    `caller`: "key 17" or "user 3". `request_digest`: SHA-256 (hex) of method, address and body. `attempt` fences a request that was taken
    for dead. `status` is empty while the request runs. The answer is sealed, since it may hold a secret that is shown once.
    """

    caller = models.CharField(max_length=32)
    key = models.CharField(max_length=128)
    request_digest = models.CharField(max_length=64)
    attempt = models.PositiveIntegerField(default=1)
    claimed_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    sealed_answer = SealedField(owner="answer_owner")

    objects = IdempotentAnswerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotent_answer_once")]
        indexes = [models.Index(fields=["claimed_at"], name="idempotent_answer_age")]

    def __str__(self) -> str:
        return f"{self.caller}: {self.key}"

    def answer_owner(self) -> bytes:
        return f"idempotent answer|{self.caller}|{self.key}".encode()
