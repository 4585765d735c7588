"""How an option is declared: once, as a typed field of the feature it belongs to.

From the declaration come the flag on the command line (flat and as part of a subcommand), the environment variable, the
key in the configuration file, validation, help and the reference page. `Options` is a dataclass in all but the import:
``import dataclasses`` costs 12 ms, more than everything else that happens before the script starts.
"""

from __future__ import annotations

from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Self, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_: object) -> Callable[[T], T]:
        """Do nothing at run time: only type checkers read it."""
        return lambda cls: cls


# Which part an option plays in a line (rule: flags alone decide between run and query).
RUN = "run"  #: only makes sense when a script runs
QUERY = "query"  #: asks the record, or changes what is kept or planned: the line runs nothing
NEUTRAL = "neutral"  #: locates, scopes or shapes
EITHER = "either"  #: a query where no script is given, a part of the run where one is
PLAN = "plan"  #: a query that takes the options of the runs it plans

# Where a value came from, the strongest first.
COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
FILE = "file"
DEFAULT = "default"

#: What stands for the value of a flag that was given without one.
_BARE = "true"

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


class Unset:
    """A value that can't be known because an environment variable is not set; an error only where it is used."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Filled(str):
    """A text of a structured value in which variables were filled in; `written` is how the file has it."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, text: str, written: str) -> Filled:
        """Make one."""
        made = super().__new__(cls, text)
        made.written = written
        return made


class Section(dict[str, "Any"]):
    """A mapping of the configuration file that is the value of an option; `where` is its file and line."""

    __slots__ = ("where",)

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        super().__init__(values)
        self.where = where


class Opt:
    """The declaration of one option (see `opt` for the meaning of each attribute)."""

    __slots__ = (
        "attr",
        "bare",
        "choices",
        "default",
        "env",
        "flag",
        "help",
        "literal_bool",
        "maximum",
        "metavar",
        "minimum",
        "positional",
        "repeat",
        "role",
        "shape",
        "spec",
        "type",
        "unit",
        "yaml",
    )

    attr: str
    bare: str
    type: str
    help: str
    default: Any
    flag: str
    env: str
    yaml: str
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    metavar: str
    unit: str
    role: str
    shape: Mapping[str, Any] | None
    spec: bool
    positional: bool
    literal_bool: bool
    repeat: bool

    def __init__(self, **values: Any) -> None:
        self.attr = ""
        self.type = "str"
        for name, value in values.items():
            setattr(self, name, value)

    def bind(self, attr: str, annotation: str) -> None:
        """Learn the name and the type from the class that declares the option."""
        self.attr = attr
        if self.shape is not None:
            self.type = "data"
            return
        if not self.flag and not self.positional:
            self.flag = "--" + attr.replace("_", "-")
        self.repeat = annotation.startswith("tuple[")
        base = annotation.replace(" ", "").replace("|None", "")
        self.type = base[6:].split(",")[0] if self.repeat else base
        if self.type not in _CONVERTERS:
            raise TypeError(f"option {attr}: no conversion for {annotation!r}")

    @property
    def arity(self) -> int:
        """How many values the flag takes: 0 or 1, or -1 where a value only ever comes as ``--flag=VALUE``."""
        if self.bare:
            return -1
        return 0 if self.type == "bool" else 1

    @property
    def label(self) -> str:
        """What messages call the option: its flag, the word that stands for it in a line, or its key in the file."""
        return self.flag or self.metavar or (self.yaml if self.shape is not None else self.attr.upper())

    def convert(self, value: object, where: str) -> Any:
        """Turn one value, text or already typed (from a file), into what the option holds.

        Raises:
            UsageError: The value does not fit; `where` begins the message.
        """
        if isinstance(value, Unset):
            raise UsageError(f"{where}: the environment variable {value.name} is not set")
        if self.bare and value == _BARE:
            value = self.bare
        try:
            result = _CONVERTERS[self.type](self, value)
        except ValueError as error:
            raise UsageError(f"{where}: {error}") from None
        if self.choices:
            for choice in self.choices:
                if str(result).lower() == choice.lower():
                    return choice
            from runner.model.words import did_you_mean

            listed = ", ".join(self.choices)
            raise UsageError(f"{where}: {value!r} is not one of {listed}{did_you_mean(str(value), self.choices)}")
        if self.minimum is not None and result < self.minimum:
            raise UsageError(f"{where}: {value} is too small, at least {self.minimum:g} is needed")
        if self.maximum is not None and result > self.maximum:
            raise UsageError(f"{where}: {value} is too large, at most {self.maximum:g} is allowed")
        return result


def _to_int(option: Opt, value: object) -> int:
    if option.unit == "bytes" and isinstance(value, str):
        from runner.model.units import parse_bytes

        return parse_bytes(value)
    try:
        if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
            raise ValueError
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a whole number") from None


def _to_float(option: Opt, value: object) -> float:
    if option.unit == "seconds" and isinstance(value, str):
        from runner.model.units import parse_seconds

        return parse_seconds(value)
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _to_bool(option: Opt, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in _TRUE:
        return True
    if str(value).lower() in _FALSE:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _to_str(option: Opt, value: object) -> str:
    if isinstance(value, (dict, list, bool)) or value is None:
        raise ValueError(f"a text is needed, not {value!r}")
    return str(value)


_CONVERTERS: dict[str, Callable[[Opt, object], Any]] = {
    "int": _to_int,
    "float": _to_float,
    "bool": _to_bool,
    "str": _to_str,
}


def opt(
    help: str,
    *,
    default: Any = None,
    flag: str = "",
    env: str = "",
    yaml: str = "",
    choices: Sequence[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    metavar: str = "",
    unit: str = "",
    role: str = NEUTRAL,
    spec: bool = False,
    positional: bool = False,
    literal_bool: bool = False,
    bare: str = "",
    shape: Mapping[str, Any] | None = None,
) -> Any:
    """Declare an option, as the default of a field of an `Options` class.

    Args:
        help: One line, without a full stop.
        default: Value where nothing else says one.
        flag: Flat spelling on the command line; the field's name with dashes where empty (none if it is positional).
        env: Environment variable.
        yaml: Path of its key in the configuration file ("monitoring.sampling_interval").
        choices: The only values allowed; case is ignored.
        minimum: Smallest number allowed.
        maximum: Largest number allowed.
        metavar: What the value is called in help.
        unit: "seconds" where a duration like "5m" is accepted too, "bytes" where a size like "2GB" is.
        role: `RUN`, `QUERY`, `NEUTRAL`, `EITHER` or `PLAN`.
        spec: Whether the flag counts after the script too; otherwise it belongs to the script there.
        positional: Whether the subcommand takes it without a flag.
        literal_bool: Whether a literal true or false after the bare flag is its value.
        bare: Value of the flag that is given without one; another is then only ever given as ``--flag=VALUE``.
        shape: JSON Schema of a value that is no single one and that only a file can hold: of objects, arrays, and the
            types of their values. The field is annotated ``object``; it gets checked lists and `Section` objects, with
            `Unset` where an environment variable is not set.
    """
    return Opt(
        help=help,
        default=default,
        flag=flag,
        env=env,
        yaml=yaml,
        choices=tuple(choices),
        minimum=minimum,
        maximum=maximum,
        metavar=metavar,
        unit=unit,
        role=role,
        spec=spec,
        positional=positional,
        literal_bool=literal_bool,
        bare=bare,
        shape=shape,
        repeat=False,
    )


@dataclass_transform(kw_only_default=True, field_specifiers=(opt,))
class Options:
    """Base of every feature's options. Fields are annotated and declared with `opt`; instances hold their values."""

    #: The declarations, by field.
    declared: dict[str, Opt] = {}
    #: Where each value came from, by field (filled by `resolve`).
    sources: dict[str, str]

    def __init_subclass__(cls) -> None:
        declared = dict(cls.declared)
        for attr, annotation in cls.__dict__.get("__annotations__", {}).items():  # noqa: RUF063 (inspect is costly)
            option = cls.__dict__.get(attr)
            if isinstance(option, Opt):
                option.bind(attr, annotation)
                declared[attr] = option
                setattr(cls, attr, option.default)
        cls.declared = declared

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - self.declared.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option {min(unknown)!r}")
        for attr, value in values.items():
            setattr(self, attr, value)
        self.sources = dict.fromkeys(values, COMMAND_LINE)

    @classmethod
    def resolve(
        cls,
        given: Mapping[str, Sequence[str]],
        environ: Mapping[str, str],
        config: Mapping[str, tuple[object, str]],
        typed: Mapping[str, str] | None = None,
    ) -> Self:
        """Join the sources of values: command line over environment over file over default.

        Args:
            given: Texts from the command line by field, in the order given; the last wins unless it is a list.
            environ: The environment.
            config: From the configuration file: key path -> (value, where it stands).
            typed: Flags by field, where another spelling than the flat one was typed.

        Raises:
            UsageError: A value does not fit; the message names the flag as it was typed, variable or file and line.
        """
        result = cls()
        for attr, option in cls.declared.items():
            if attr in given:
                label = typed.get(attr, option.label) if typed else option.label
                texts = [option.convert(text, label) for text in given[attr]]
                result._set(attr, tuple(texts) if option.repeat else texts[-1], f"{COMMAND_LINE} {label}")
            elif option.env and environ.get(option.env):
                where = f"{ENVIRONMENT} {option.env}"
                value = option.convert(environ[option.env], option.env)
                result._set(attr, (value,) if option.repeat else value, where)
            elif option.yaml and option.yaml in config:
                raw, where = config[option.yaml]
                if option.shape is not None:
                    result._set(attr, raw, f"{FILE} {where}")
                    continue
                items = raw if option.repeat and isinstance(raw, (list, tuple)) else [raw]
                values = [option.convert(item, f"{where}: {option.yaml}") for item in items]
                result._set(attr, tuple(values) if option.repeat else values[-1], f"{FILE} {where}")
        return result

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Make an instance from values that a program gives, each checked as if it came from the command line.

        Raises:
            UsageError: A value does not fit.
        """
        result = cls(**values)
        for attr, value in values.items():
            option = cls.declared[attr]
            if option.shape is not None:
                continue
            if option.repeat:
                items = [value] if isinstance(value, str) else value
                setattr(result, attr, tuple(option.convert(item, attr) for item in items))
            elif value is not None or option.default is not None:
                setattr(result, attr, option.convert(value, attr))
        return result

    def _set(self, attr: str, value: object, source: str) -> None:
        setattr(self, attr, value)
        self.sources[attr] = source

    def source(self, attr: str) -> str:
        """Return where the value of a field came from."""
        return self.sources.get(attr, DEFAULT)

    def rank(self, attr: str) -> int:
        """Return how strong the source of a field's value is; the command line's rank is the highest."""
        source = self.source(attr)
        return [source.startswith(kind) for kind in (DEFAULT, FILE, ENVIRONMENT, COMMAND_LINE)].index(True)
