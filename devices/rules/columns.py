"""The columns of a device list and the many names they have: ours in English and Chinese, Quectel's, and what people write.

A title is compared without case, spaces, stars, hyphens, underscores and what stands in brackets. One word is used for two things:
设备名称 and "Device name" are the DeviceName for Alibaba and Tencent, and a name for people for Quectel. So the DeviceName is the column
with the strongest title present; a weaker one beside it is the name for people.

Without a header, a list is only accepted where nobody can take a title for a value: one column of MAC addresses or of IMEIs, from row 1.

A workbook that went back to its operator with the bad cells marked has one column more, the reasons; it comes in again with it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from console.errors import Invalid
from console.words import say

DEVICE_NAME, PRODUCT_KEY, NICKNAME, SN = "DeviceName", "ProductKey", "Nickname", "SN"
AUTHENTICATION, DEVICE_SECRET, FINGERPRINT = "Authentication", "DeviceSecret", "Fingerprint"

REASON = "Why"
"""The title of the column of reasons in a marked workbook: nobody reads it."""
REASON_MARK = f"{REASON}: "
"""What a reason begins with where the column has no title, in a workbook without a header."""

COLUMNS = (PRODUCT_KEY, DEVICE_NAME, NICKNAME, SN, AUTHENTICATION, DEVICE_SECRET, FINGERPRINT)

_NAME_RANKS: tuple[frozenset[str], ...] = (
    frozenset({"devicekey", "设备devicekey", "设备key", "dk", "dn", "deviceid", "设备id", "设备标识"}),
    frozenset({"mac", "macaddress", "macaddr", "mac地址", "设备mac", "imei", "imei号", "设备imei"}),
    frozenset({"devicename", "设备devicename"}),
    frozenset({"设备名称", "设备名", "name", "names", "名称"}),
)
_ALIASES: dict[str, frozenset[str]] = {
    PRODUCT_KEY: frozenset({"productkey", "产品productkey", "产品key", "pk", "productid", "产品id", "产品标识"}),
    NICKNAME: frozenset({"nickname", "devicenickname", "alias", "remarkname", "displayname"})
    | {"昵称", "设备昵称", "备注名", "备注名称", "设备备注名"},
    SN: frozenset({"sn", "设备sn", "devicesn", "serial", "serialno", "serialnumber", "序列号", "设备序列号"}),
    AUTHENTICATION: frozenset({"authentication", "authenticationtype", "authenticationmode", "authtype", "authmode"})
    | {"认证方式", "认证类型", "鉴权方式"},
    DEVICE_SECRET: frozenset({"devicesecret", "ds", "devicepsk", "psk", "设备密钥", "设备devicesecret"}),
    FINGERPRINT: frozenset({"fingerprint", "certificatefingerprint", "certfingerprint", "证书指纹", "指纹"})
    | {"sha1fingerprint", "sha256fingerprint", "fingerprintsha1", "fingerprintsha256"},
}
_COLUMN_OF = {alias: column for column, aliases in _ALIASES.items() for alias in aliases}
_SECRET = re.compile(r"secret|psk|password|token|private|密钥|密码")
_NOISE = re.compile(r"[\s*_\-\ufeff.:]+|\(.*?\)|【.*?】|\[.*?\]")


class BadHeader(Invalid):
    """The titles are not those of a device list."""

    code = "bad_header"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each column stands. `at`: column -> index from 0; `titles`: index -> title as written; `ignored`: titles nobody reads;
    `reason`: the index of the reasons that a marked workbook brings back."""

    at: dict[str, int]
    titles: dict[int, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    headless: bool = False
    reason: int | None = None

    @property
    def holds_secrets(self) -> bool:
        """Whether a title says so, also one that is not read."""
        return any(_COLUMN_OF.get(plain(title)) == DEVICE_SECRET or _SECRET.search(plain(title)) for title in self.titles.values())

    def title(self, column: str) -> str:
        """As the file has it, or ours."""
        return self.titles.get(self.at.get(column, -1)) or column


def plain(title: str) -> str:
    """What of a title is compared."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", title)).casefold()


def layout(titles: Sequence[str], *, names_only: bool) -> Layout:
    """`names_only`: a production upload, of which only the DeviceNames are read; a lone SN column gives them. Raises BadHeader."""
    written = {index: title.strip() for index, title in enumerate(titles) if title.strip()}
    words = {index: plain(title) for index, title in written.items()}
    reason = next((index for index, word in words.items() if word == plain(REASON)), None)
    words.pop(reason, None)  # type: ignore[arg-type]
    at = _name_column(words, written)
    unknown: list[str] = []
    for index, word in words.items():
        column = _COLUMN_OF.get(word) or (NICKNAME if index not in at.values() and word in _NAME_RANKS[2] | _NAME_RANKS[3] else None)
        if index in at.values():
            continue
        if column is None:
            unknown.append(written[index])
        elif column in at:
            raise _twice(column, written[at[column]], written[index])
        else:
            at[column] = index
    return replace(_finished(at, {index: written[index] for index in words}, unknown, names_only), titles=written, reason=reason)


def _name_column(words: dict[int, str], written: dict[int, str]) -> dict[str, int]:
    for rank in _NAME_RANKS:
        found = [index for index, word in words.items() if word in rank]
        if len(found) > 1:
            raise _twice(DEVICE_NAME, written[found[0]], written[found[1]])
        if found:
            return {DEVICE_NAME: found[0]}
    return {}


def _twice(column: str, one: str, other: str) -> BadHeader:
    return BadHeader(say("Two columns give the {column}: “{one}” and “{other}”. Remove one of them.", column=column, one=one, other=other))


def _finished(at: dict[str, int], written: dict[int, str], unknown: list[str], names_only: bool) -> Layout:
    if names_only and DEVICE_NAME not in at and SN in at:
        at = {DEVICE_NAME: at[SN]}
    if DEVICE_NAME not in at:
        seen = ", ".join(f"“{title[:40]}”" for title in list(written.values())[:8])
        words = "There is no column DeviceName. The first row has {titles}; it must hold the titles of the columns."
        raise BadHeader(say(words, titles=seen or "–"))
    if names_only:
        ignored = tuple(title for index, title in written.items() if index != at[DEVICE_NAME])
        return Layout({DEVICE_NAME: at[DEVICE_NAME]}, written, ignored)
    if unknown:
        names = ", ".join(f"“{title[:40]}”" for title in unknown[:8])
        words = "Nobody knows what to do with {titles}: rename or remove it. Known columns are {columns}."
        raise BadHeader(say(words, titles=names, columns=", ".join(COLUMNS)))
    return Layout(at, written)
