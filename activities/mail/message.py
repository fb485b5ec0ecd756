"""One mail as it goes out: headers that nobody can inject into, text and HTML."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from siklus.activities.mail.render import Words, one_line
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.values import AgencyId

SENDER_NAME = "Siklus"


class AddressUnusableError(ValueError):
    """The roster holds no address that a mail can be sent to."""


def compose(
    words: Words,
    *,
    agency: AgencyId,
    sender: str,
    name: str,
    address: str,
    language: Language,
    key: str,
    kinds: Sequence[NoticeKind],
    at: datetime,
) -> EmailMessage:
    """Return the mail; the same key gives the same Message-ID. Raises AddressUnusableError.

    `X-Siklus-Kinds` lists each kind of notice once, with its number where there are several.
    """
    from_address = Address(SENDER_NAME, addr_spec=sender)
    try:
        to_address = Address(_no_code(one_line(name)), addr_spec=address)
    except (ValueError, IndexError):
        raise AddressUnusableError("no usable address") from None
    if not to_address.username or not to_address.domain:
        raise AddressUnusableError("no usable address")
    message = EmailMessage(policy=SMTP)
    message["From"] = from_address
    message["To"] = to_address
    message["Subject"] = words.subject
    message["Date"] = at
    message["Message-ID"] = f"<{key}@{from_address.domain}>"
    message["List-Id"] = f"Siklus <{agency}.siklus.{from_address.domain}>"
    # Absence notes and mailing programs must not answer.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Siklus-Kinds"] = ", ".join(
        f"{kind}={count}" if count > 1 else str(kind)
        for kind, count in sorted(Counter(kinds).items())
    )
    message["X-Siklus-Notice-Count"] = str(len(kinds))
    message.set_content(words.text)
    message.add_alternative(words.html, subtype="html")
    # Last: setting a body moves or drops what begins with Content.
    message["Content-Language"] = language
    return message


def _no_code(name: str) -> str:
    """Return a name in which nothing is an encoded word.

    Python would decode it and write what it hides, ends of lines among it, into the header.
    """
    return name.replace("=?", "= ?")
