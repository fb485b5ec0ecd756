"""What workflows ask for is what activities answer: the same names, arguments and answers."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, get_type_hints

import pytest

from siklus import activities
from siklus.workflows import ports


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def _own(module: ModuleType, kind: Callable[[Any], bool]) -> Iterator[Any]:
    return (
        each for _, each in inspect.getmembers(module, kind) if each.__module__ == module.__name__
    )


ASKED = [each for module in _modules(ports) for each in _own(module, inspect.iscoroutinefunction)]
ANSWERS = [
    method
    for module in _modules(activities)
    for each in _own(module, inspect.isclass)
    for _, method in inspect.getmembers(each, inspect.iscoroutinefunction)
    if hasattr(method, "__temporal_activity_definition")
]


def test_every_workflow_that_asks_has_its_ports() -> None:
    assert len(ASKED) == len({each.__name__ for each in ASKED}) >= 20


@pytest.mark.parametrize("stub", ASKED, ids=lambda stub: stub.__name__)
def test_an_activity_answers_what_is_asked(stub: Callable[..., Any]) -> None:
    (answer,) = (each for each in ANSWERS if each.__name__ == stub.__name__)

    assert [*get_type_hints(answer).values()] == [*get_type_hints(stub).values()]
    assert inspect.getdoc(stub)


def test_nothing_answers_what_nobody_asks() -> None:
    assert {each.__name__ for each in ANSWERS} == {each.__name__ for each in ASKED}
