"""Every key of a policy with its form, its default and its meaning: read from the models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import resources
from inspect import get_annotations
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.packs import PolicyPack
from siklus.workflows.domain.policy import Policy, YearDay

_LEAVES: Final[Mapping[type, str]] = {
    Text: "a text in `id` and `en`",
    YearDay: "a day: `MM-DD`, `MM-end`, `next MM-DD`, `previous MM-DD`",
}
_NOT_WRITTEN: Final = {(Policy, "name"), (Policy, "version")}
"""Set by the pack's name and by its publication."""
_PLAIN: Final[Mapping[object, str]] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key as the file has it."""

    shape: str
    """The section or shape that has the key; shapes such as `Clock` stand in several places."""
    name: str
    form: str
    default: str
    required: bool
    meaning: Text


def every_key() -> tuple[Key, ...]:
    """Return every key, shape by shape, in the order of the models."""
    return tuple(key for shape in shapes() for key in _keys_of(shape))


def shapes() -> tuple[type[BaseModel], ...]:
    """Return every shape that a pack is made of, the outermost first."""
    found: dict[type[BaseModel], None] = {}

    def walk(model: type[BaseModel]) -> None:
        if model in found or model in _LEAVES:
            return
        found[model] = None
        for inner in _models(field.annotation for field in model.model_fields.values()):
            walk(inner)

    walk(PolicyPack)
    return tuple(found)


def names() -> Iterator[str]:
    """Yield `Shape.key` for every key that needs words; an inherited one has its parent's."""
    for shape in shapes():
        for name in shape.model_fields:
            if (shape, name) not in _NOT_WRITTEN:
                yield f"{_owner(shape, name)}.{name}"


@cache
def words() -> Mapping[str, Text]:
    """Return what each key says, by `Shape.key`."""
    written = (resources.files(__name__) / "words.yaml").read_text(encoding="utf-8")
    return {name: Text(**text) for name, text in yaml.safe_load(written).items()}


def _keys_of(shape: type[BaseModel]) -> Iterator[Key]:
    for name, field in shape.model_fields.items():
        if (shape, name) in _NOT_WRITTEN:
            continue
        yield Key(
            shape=shape.__name__,
            name=name,
            form=_form(field.annotation, field.metadata),
            default=_default(field),
            required=field.is_required(),
            meaning=words()[f"{_owner(shape, name)}.{name}"],
        )


def _owner(shape: type[BaseModel], name: str) -> str:
    return next(base.__name__ for base in shape.__mro__ if name in get_annotations(base))


def _models(annotations: Any) -> Iterator[type[BaseModel]]:
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        yield from _models(get_args(annotation))


def _form(annotation: Any, metadata: Any = ()) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _form(inner[0], inner[1:])
    if origin is Literal:
        return " \\| ".join(f"`{each}`" for each in inner)
    if isinstance(annotation, type) and annotation in _LEAVES:
        return _LEAVES[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " \\| ".join(f"`{each.value}`" for each in annotation)
    if origin is tuple:
        return f"list of {_form(inner[0])}"
    if origin is dict:
        return f"by {_form(inner[0])}: {_form(inner[1])}"
    options = [each for each in inner if each is not type(None)]
    if options and origin is not None:
        return " or ".join(_form(each) for each in options)
    plain = "decimal number" if annotation is Decimal else _PLAIN.get(annotation, "anything")
    return plain + _bounds(metadata)


def _bounds(metadata: Any) -> str:
    least = [f"from {m.ge}" for m in metadata if getattr(m, "ge", None) is not None]
    above = [f"above {m.gt}" for m in metadata if getattr(m, "gt", None) is not None]
    most = [f"to {m.le}" for m in metadata if getattr(m, "le", None) is not None]
    inner = [_bounds(m.metadata) for m in metadata if isinstance(m, FieldInfo)]
    parts = [*least, *above, *most]
    return (f" {' '.join(parts)}" if parts else "") + "".join(inner)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined or value in ({}, ()):
        return "–"
    if isinstance(value, BaseModel):
        said = value.model_dump(mode="json", exclude_defaults=True)
        return f"`{_inline(said)}`" if said and len(_inline(said)) < 60 else "as below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(getattr(each, 'value', each)) for each in value)}]`"
    return f"`{getattr(value, 'value', value)}`"


def _inline(said: Any) -> str:
    if isinstance(said, dict):
        return "{" + ", ".join(f"{name}: {_inline(each)}" for name, each in said.items()) + "}"
    return str(said).lower() if isinstance(said, bool) else str(said)
