"""What exists: pre-imported rows, devices by data center, batches, address pools, uploads."""

from devices.models.auto_creation import AutoCreation
from devices.models.batch import Batch, BatchFile, BatchSource, BatchUndo, FileFormat
from devices.models.client_identity import ClientIdentity, IdentityStatus
from devices.models.connection import Connection, ConnectionEnd
from devices.models.device import Device, DeviceOrigin
from devices.models.device_certificate import DeviceCertificate
from devices.models.disconnect_order import CutReason, DisconnectOrder, OrderOutcome
from devices.models.download_code import CodeState, DownloadCode, FailedRedemption
from devices.models.mac_pool import MacBlockKind, MacPool
from devices.models.pre_import import Authentication, PreImportedDevice
from devices.models.receipt import BatchTree, Receipt, ReceiptChain, ReceiptFile, ReceiptKey
from devices.models.serial_number import SerialNumber, SerialNumberAlphabet, SerialNumberRun
from devices.models.upload import Duplicates, MarkedWorkbook, Upload, UploadPurpose, UploadStage

__all__ = [
    "Authentication",
    "AutoCreation",
    "Batch",
    "BatchFile",
    "BatchSource",
    "BatchTree",
    "BatchUndo",
    "ClientIdentity",
    "CodeState",
    "Connection",
    "ConnectionEnd",
    "CutReason",
    "Device",
    "DeviceCertificate",
    "DeviceOrigin",
    "DisconnectOrder",
    "DownloadCode",
    "Duplicates",
    "FailedRedemption",
    "FileFormat",
    "IdentityStatus",
    "MacBlockKind",
    "MacPool",
    "MarkedWorkbook",
    "OrderOutcome",
    "PreImportedDevice",
    "Receipt",
    "ReceiptChain",
    "ReceiptFile",
    "ReceiptKey",
    "SerialNumber",
    "SerialNumberAlphabet",
    "SerialNumberRun",
    "Upload",
    "UploadPurpose",
    "UploadStage",
]
