"""What exists: pre-imported rows, devices by data center, batches, address pools, uploads."""

from devices.models.auto_creation import AutoCreation
from devices.models.batch import Batch, BatchFile, BatchSource, FileFormat
from devices.models.client_identity import ClientIdentity, IdentityStatus
from devices.models.connection import Connection, ConnectionEnd
from devices.models.device import Device, DeviceOrigin
from devices.models.disconnect_order import CutReason, DisconnectOrder, OrderOutcome
from devices.models.mac_pool import MacBlockKind, MacPool
from devices.models.pre_import import Authentication, PreImportedDevice
from devices.models.upload import Upload, UploadPurpose, UploadStage

__all__ = [
    "Authentication",
    "AutoCreation",
    "Batch",
    "BatchFile",
    "BatchSource",
    "ClientIdentity",
    "Connection",
    "ConnectionEnd",
    "CutReason",
    "Device",
    "DeviceOrigin",
    "DisconnectOrder",
    "FileFormat",
    "IdentityStatus",
    "MacBlockKind",
    "MacPool",
    "OrderOutcome",
    "PreImportedDevice",
    "Upload",
    "UploadPurpose",
    "UploadStage",
]
