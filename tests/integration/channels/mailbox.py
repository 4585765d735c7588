"""What a server of mail does with what it is sent."""

from __future__ import annotations

import email
import email.policy
from typing import Any


class Box:
    """Takes mail, and answers to recipients and content as it is told.

    Attributes:
        mails: What was taken; `recipients` are whom each was for.
        answers: To the content, one after the other; then it is taken.
        people: What each recipient is answered, the last answer again and again; who is not here is known.
        asked: Everybody who was asked for.
    """

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.people: dict[str, list[str]] = {"nobody@example.com": ["550 there is nobody of that name"]}
        self.asked: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            self.recipients.append(envelope.rcpt_tos)
        return answer

    async def handle_RCPT(
        self, server: object, session: object, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        answers = self.people.get(address, ["250 OK"])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer
