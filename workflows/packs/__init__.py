"""The policy packs that ship with Siklus, one YAML file each."""

from importlib import resources

from siklus.workflows.domain.packs import PolicyPack, load


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped packs, sorted."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


def source_of(name: str) -> bytes:
    """Return a shipped pack as it is written, or raise `KeyError` for any other name."""
    if name not in shipped():
        raise KeyError(name)
    return (resources.files(__name__) / f"{name}.yaml").read_bytes()


def shipped_pack(name: str) -> PolicyPack:
    """Return a shipped pack, read and checked, or raise `KeyError` for any other name."""
    return load(source_of(name))
