"""Services of which a test writes only the methods that it calls."""

from collections.abc import Callable
from typing import TypeVar

Servicer = TypeVar("Servicer")


def partial(kind: Callable[[], Servicer]) -> Servicer:
    """Return a servicer; every method that its class leaves out answers UNIMPLEMENTED.

    The stubs call such a class abstract, so that no service forgets a method; the generated code
    does not, and a callable is all that is asked for here.
    """
    return kind()
