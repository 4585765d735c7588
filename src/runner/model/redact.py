"""Takes secrets out of arguments, environments and messages before they are written anywhere.

What is replaced by ``***``:

- the value of an option, variable, header or key whose name says that it holds a secret: ``--password X``,
  ``--api-key=X``, ``DB_PASSWORD=X``, ``?token=X``, ``X-Api-Key: X``, ``{"secret": "X"}``. A name speaks of something
  else when it ends with ``file``, ``count``, ``url`` and the like (``--token-count 5``, ``--password-file F``) or
  begins with a verb (``--ask-password``); ``--max-tokens``, ``--key`` and ``$PWD`` are not secrets;
- the value of an option whose name ends with ``webhook``, and of an address of anything else that is called so, or
  ``heartbeat``, all but its host: it is the secret;
- what is known to be a secret by its form: keys and tokens of common services, JSON web tokens, private keys, the
  secret part of webhook addresses, passwords in addresses (``https://user:***@host``), ``Bearer`` and ``Basic``
  credentials, and the password after ``-u user:`` and ``--user user:``.

Everything else is kept: a secret that neither its name nor its form betrays can't be told from other text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

MASK = "***"

#: A word that ends so makes a name secret.
_SECRET_ENDINGS = (
    "password", "passwd", "passphrase", "passcode", "secret", "secrets", "token", "apikey", "accesskey", "secretkey",
    "privatekey", "credential", "credentials", "sshpass", "pgpass",
)  # fmt: skip
#: So does one of these words.
_SECRET_WORDS = ("pwd", "authorization", "cookie", "pat", "pw")
#: Or a word before "key".
_KEY_WORDS = (
    "api", "access", "account", "app", "auth", "client", "encryption", "license", "master", "private", "secret",
    "service", "shared", "signing", "ssh", "storage", "webhook",
)  # fmt: skip
#: A name that ends so speaks about a secret and holds none.
_HARMLESS_ENDINGS = (
    "file", "path", "dir", "count", "length", "len", "limit", "size", "min", "max", "num", "ttl", "timeout", "expiry",
    "expires", "age", "type", "name", "names", "id", "url", "uri", "endpoint", "policy", "budget", "env", "var",
    "rounds", "store", "manager", "helper", "prompt", "stdin", "format", "version", "enabled", "required", "jar",
    "field", "fd",
)  # fmt: skip
#: An option that begins so asks for something to be done.
_HARMLESS_BEGINNINGS = (
    "no", "ask", "prompt", "use", "show", "hide", "skip", "require", "check", "reset", "generate", "without", "with",
    "allow", "disable", "enable", "rotate", "is", "has", "max", "min", "num",
)  # fmt: skip
#: Names that look like it and are none.
_HARMLESS_NAMES = ("pwd", "oldpwd", "pat", "pw", "cookie")

#: Texts without any of these (in lower case) hold no secret that is known by its form.
_FORM_HINTS = (
    "bearer", "basic", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "xapp-",
    "sk-", "sk_live", "sk_test", "rk_live", "rk_test", "aiza", "npm_", "pypi-", "hf_", "sg.", "dop_v1_", "eyj",
    "-----begin", "hooks.slack.com", "webhook", "@", "hc-ping", "/ping/",
)  # fmt: skip
#: And texts without any of these no name of one.
_NAME_HINTS = ("pass", "secret", "token", "credential", "pwd", "pw", "pat", "authorization", "cookie", "key")
_USER_OPTIONS = ("-u", "--user")
#: An option that ends so takes an address that is a secret itself.
_WEBHOOK = "webhook"
#: What is called so may be such an address too, or a number of seconds.
_HEARTBEAT = "heartbeat"

# Forms of secrets; what is in the group "keep" stays.
_FORMS = r"""
    (?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/:@?\#]*:)[^\s/@?\#]+(?=@)           # https://user:password@host
  | (?P<keep1>hooks\.slack\.com/(?:services|workflows|triggers)/)[^\s"']+
  | (?P<keep2>/api/webhooks/)[^\s"']+                                       # Discord
  | (?P<keep5>\bhc-ping\.com/|://[^\s/]+/ping/)[^\s"'?]+                    # a check of healthchecks
  | (?P<keep3>webhook\.office\.com/)[^\s"']+
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----(?s:.*?)(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
  | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                                       # JSON web token
  | \b(?-i:AKIA|ASIA)(?-i:[A-Z0-9]{16})\b
  | \bgh[pousr]_[A-Za-z0-9]{20,}\b | \bgithub_pat_\w{20,}\b | \bglpat-[\w-]{16,}
  | \bxox[a-z]-[A-Za-z0-9-]{10,} | \bxapp-[A-Za-z0-9-]{10,}
  | \bsk-[A-Za-z0-9_-]{20,} | \b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}
  | \bAIza[\w-]{30,} | \bnpm_[A-Za-z0-9]{30,}\b | \bpypi-[\w-]{30,} | \bhf_[A-Za-z0-9]{20,}\b
  | \bSG\.[\w-]{16,}\.[\w-]{16,} | \bdop_v1_[a-f0-9]{32,}
  | (?P<keep4>\b(?:Bearer|Basic)\ +)(?=\S*\d)[\w.~+/=-]{8,}              # a word of prose has no digit
"""
# A name, what sets it apart from its value, and the value.
_NAMED = r"""(?P<name>[A-Za-z_][\w.-]*)(?P<between>["']?\s*(?:=|:(?!//))\s*["']?)(?P<value>[^\s"'&;,}]+)"""

_compiled: list[re.Pattern[str]] = []


def is_secret_name(name: str) -> bool:
    """Whether something of that name holds a secret: ``--api-key``, ``DB_PASSWORD``, ``clientSecret``."""
    words = _words(name)
    if not words or name.strip("-").lower() in _HARMLESS_NAMES:
        return False
    if words[-1] in _HARMLESS_ENDINGS or (len(words) > 1 and words[0] in _HARMLESS_BEGINNINGS):
        return False
    if any(word.endswith(_SECRET_ENDINGS) or word in _SECRET_WORDS for word in words):
        return True
    return any(word == "key" and words[place] in _KEY_WORDS for place, word in enumerate(words[1:]))


def _words(name: str) -> list[str]:
    spaced = ""
    for before, char in zip(" " + name, name, strict=False):
        spaced += " " + char if char.isupper() and before.islower() else char if char.isalnum() else " "
    return spaced.lower().split()


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Return arguments of a program with the secrets among them replaced by ``***``."""
    lower = "\0".join(arguments).lower()
    if not any(hint in lower for hint in (*_FORM_HINTS, *_NAME_HINTS, *_USER_OPTIONS, _HEARTBEAT)):
        return list(arguments)
    result: list[str] = []
    expected = ""
    for argument in arguments:
        value, expected = _redact_argument(argument, expected)
        result.append(value)
    return result


def _redact_argument(argument: str, option: str) -> tuple[str, str]:
    """Redact one argument that follows `option`; return it and the option whose value comes next."""
    is_option = argument.startswith("--") or (len(argument) == 2 and argument[0] == "-")
    if option and not is_option:
        if _HEARTBEAT in option.lower():
            return redact_value(option, argument), ""
        if option not in _USER_OPTIONS:
            return MASK, ""
        user, colon, password = argument.partition(":")
        if colon and not password.startswith("//") and not (user.isdigit() and password.isdigit()):
            return f"{user}:{MASK}", ""
        return redact_text(argument), ""
    if argument.startswith("-") and "=" not in argument and " " not in argument:
        takes = argument in _USER_OPTIONS or argument.endswith(_WEBHOOK) or _HEARTBEAT in argument.lower()
        return redact_text(argument), argument if takes or is_secret_name(argument) else ""
    name, equals, value = argument.partition("=")
    if not equals or "://" in name or " " in name:
        return redact_text(argument), ""
    if is_secret_name(name) or (name[:1] == "-" and name.endswith(_WEBHOOK)):
        return name + equals + MASK, ""  # the whole value, whatever is in it
    return (name + equals + redact_address(value) if _leads(name, value) else redact_text(argument)), ""


def redact_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with the values of variables that hold secrets replaced by ``***``."""
    return {name: redact_value(name, value) for name, value in environment.items()}


def redact_value(name: str, value: str) -> str:
    """Return the value of something called `name`, ``***`` in place of what is secret in it."""
    if _WEBHOOK in name.lower() or _leads(name, value):
        return redact_address(value)
    return MASK if value and is_secret_name(name) else redact_text(value)


def _leads(name: str, value: str) -> bool:
    """Whether the value of something called `name` is an address that whoever knows it can use."""
    return "://" in value and any(word in name.lower() for word in (_WEBHOOK, _HEARTBEAT))


def redact_address(value: str) -> str:
    """Return an address that is a secret itself: its host, and nothing behind; ``***`` of what is none."""
    if not value or value.startswith(("file:", "keyring:")):
        return value  # these say where the secret is to be had
    scheme, _, rest = value.partition("://")
    host = rest.partition("?")[0].partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}/{MASK}" if host and scheme in ("http", "https") else MASK


def redact_text(text: str) -> str:
    """Return a text with the secrets that can be recognised in it replaced by ``***``."""
    if not _suspicious(text):
        return text
    if not _compiled:
        import re

        _compiled.extend((re.compile(_FORMS, re.VERBOSE | re.IGNORECASE), re.compile(_NAMED)))
    forms, named = _compiled
    return named.sub(_mask_named, forms.sub(_mask_form, text))


def _suspicious(text: str) -> bool:
    """Whether a text may hold a secret: one of a known form, or a name with something that sets it apart from a value.

    The word ``pass`` alone, as in code on the command line, is no reason to load and compile what looks closer.
    """
    lower = text.lower()
    if any(hint in lower for hint in _FORM_HINTS):
        return True
    return ("=" in text or ":" in text) and any(hint in lower for hint in _NAME_HINTS)


def _mask_form(found: re.Match[str]) -> str:
    kept = next((part for part in found.groups() if part is not None), "")
    return kept + MASK


def _mask_named(found: re.Match[str]) -> str:
    name, between, value = found.group("name", "between", "value")
    if MASK in value or value.lower() in ("bearer", "basic", "true", "false", "none", "null"):
        return found.group()
    if is_secret_name(name):
        return name + between + MASK
    # "ValueError: token=abc" names something twice; what is inside may be the secret.
    return name + between + _compiled[1].sub(_mask_named, value)
