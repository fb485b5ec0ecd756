"""RepairService: what the agency's team does when a year does not go as planned."""

from typing import Any

from siklus.services.rpc.commanding import Commanding, servicer
from siklus.v1 import repair_service_pb2_grpc


class Repairs(Commanding, repair_service_pb2_grpc.RepairServiceServicer):
    """Commands like those of the year, and nothing else."""


RepairServicer: Any = servicer("RepairServicer", Repairs, "RepairService")
"""Repairs with one method for each of its commands."""
