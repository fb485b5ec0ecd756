"""Whom a server believes and how it is spoken to, from the settings: token keys and TLS."""

from siklus.services.auth.jwks import JwksUrlError, Pace, RemoteKeys
from siklus.services.auth.keys import FixedKeys, KeysUnreadableError, load_keys
from siklus.services.cli.output import Fault
from siklus.services.settings import Settings
from siklus.services.tls import ServerTls, TlsFiles, TlsFilesError


def token_keys(settings: Settings) -> FixedKeys | RemoteKeys:
    """Return where the keys of tokens come from; those behind a URL are not fetched yet.

    Raises `Fault` unless there is exactly one source and it can be used.
    """
    file, url = settings.token_keys, settings.token_jwks_url
    if file is not None and url is not None:
        message = "SIKLUS_TOKEN_KEYS and SIKLUS_TOKEN_JWKS_URL are both set"
        raise Fault("TWO_TOKEN_KEYS", message, "unset one: whoever has a key of either is let in")
    try:
        if url is not None:
            pace = Pace(settings.token_jwks_refresh_seconds, settings.token_jwks_keep_seconds)
            return RemoteKeys(url, ca=settings.token_jwks_ca, pace=pace)
        if file is not None:
            return FixedKeys(load_keys(file))
    except KeysUnreadableError as error:
        raise Fault("NO_TOKEN_KEYS", str(error)) from None
    except JwksUrlError as error:
        raise Fault("NO_TOKEN_KEYS", f"SIKLUS_TOKEN_JWKS_URL: {error}") from None
    hint = "SIKLUS_TOKEN_JWKS_URL or SIKLUS_TOKEN_KEYS names those of your identity provider"
    raise Fault("NO_TOKEN_KEYS", "without keys nobody can be let in", hint)


def server_tls(settings: Settings) -> ServerTls | None:
    """Return the server's TLS, None for plain text; raises `Fault` for half of it."""
    files = {
        "SIKLUS_TLS_CERTIFICATE": settings.tls_certificate,
        "SIKLUS_TLS_KEY": settings.tls_key,
    }
    lacking = [name for name, file in files.items() if file is None]
    if len(lacking) == len(files) and settings.tls_client_ca is None:
        return None
    if settings.tls_certificate is None or settings.tls_key is None:
        hint = "without it tokens would travel in plain text"
        raise Fault("HALF_TLS", f"TLS needs {' and '.join(lacking)} as well", hint)
    try:
        return ServerTls(
            TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        )
    except TlsFilesError as error:
        raise Fault("BAD_TLS", str(error)) from None


def mode(tls: ServerTls | None) -> str:
    """Tell how clients reach the server, for the line that says it is ready."""
    if tls is None:
        return "plain text (SIKLUS_TLS_CERTIFICATE sets up TLS)"
    return "mutual TLS" if tls.mutual else "TLS"
