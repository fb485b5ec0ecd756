"""Logs and metrics: one JSON line a happening, one port for Prometheus, nothing personal."""

import logging
import sys
import traceback
from typing import Final

import structlog
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

MOST_CAUSES: Final = 5
MOST_FRAMES: Final = 8


def configure_logging(*, level: int = logging.INFO, pretty: bool = False) -> None:
    """Send structlog and the standard library's records through one renderer to stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # first: most reads are told to nobody
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # On a terminal of our own in full; what is collected holds nothing that an exception quotes.
    final: tuple[structlog.typing.Processor, ...] = (
        (structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer())
        if pretty
        else (structlog.processors.ExceptionRenderer(places), structlog.processors.JSONRenderer())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *final,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def places(exc_info: structlog.typing.ExcInfo) -> list[str]:
    """Return the type and the place of an exception and of its causes, the outermost first.

    Never what it says: messages of exceptions quote people's data.
    """
    told: list[str] = []
    fault: BaseException | None = exc_info[1]
    while fault is not None and len(told) < MOST_CAUSES:
        frames = traceback.extract_tb(fault.__traceback__)[-MOST_FRAMES:]
        way = " ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
        told.append(f"{type(fault).__qualname__} {way}".strip())
        fault = fault.__cause__ or fault.__context__
    return told


def runtime(metrics_address: str) -> Runtime:
    """Return Temporal's runtime for this process, which answers Prometheus at that address."""
    metrics = PrometheusConfig(bind_address=metrics_address)
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))
