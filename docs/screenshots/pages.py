"""Which pages have pictures: their addresses in the demo's console, and what is done on them before the picture is taken."""

from playwright.sync_api import Page

LISTS = {
    "products": "/products/product/",
    "pre-import": "/devices/preimporteddevice/",
    "uploads": "/devices/upload/",
    "records": "/devices/batch/",
    "runs": "/devices/serialnumberrun/",
    "devices": "/devices/device/",
    "log": "/registration/devicelogentry/",
    "users": "/auth/user/",
    "authorities": "/products/certificateauthority/",
}
FIXED = {
    "sign-in": "/login/",
    "account": "/account/",
    "home": "/?span=7d",
    "jobs": "/jobs/",
    "data-centers": "/products/datacenter/",
    "production-center": "/devices/batch/center/",
    "download-codes": "/devices/downloadcode/",
    "redeem": "/download/",
    "generate-sn": "/devices/serialnumberrun/add/",
    "users": "/auth/user/",
    "api-keys": "/console/apikey/",
    "new-api-key": "/console/apikey/add/",
    "audit": "/console/auditentry/",
    "import": "/devices/preimporteddevice/import/",
}
PAGES = (
    "sign-in", "account", "home", "jobs", "search", "list-tools",
    "product", "grant-codes", "turn-on", "data-centers",
    "pre-import", "import", "upload",
    "production-center", "flashing-method", "device-names", "review", "record", "undo", "download-codes", "redeem",
    "generate-sn", "serial-numbers", "station",
    "devices", "device", "drift", "log", "log-entry", "what-if",
    "authorities", "authority", "proof", "certified", "certificate-entry", "issuing", "what-if-certificate",
    "clone", "switched", "switch", "clear", "compromised",
    "users", "user", "new-api-key", "api-keys", "audit",
)  # fmt: skip
LONG = {"upload", "home", "new-api-key", "what-if", "account", "certified"}
"""Shown whole, up to TALL, also on a desk."""
CHINESE = ("home", "upload")
PUBLIC = {"sign-in", "redeem"}
"""Open without a session."""


def find(page: Page, url: str) -> dict[str, str]:
    """The path of each page by its name, for a signed-in administrator."""
    paths = LISTS | FIXED
    center(page, url)
    paths["search"] = "/"
    paths["list-tools"] = paths["devices"]
    paths["product"] = row(page, url, paths["products"], "Kettle K2")
    paths["grant-codes"] = paths["product"].replace("/change/", "/do/grant_codes/")
    paths["turn-on"] = row(page, url, paths["products"], "Bulb mini").replace("/change/", "/do/turn_on/")
    paths["record"] = row(page, url, paths["records"], "Kettle K2")
    paths["undo"] = row(page, url, paths["records"], "Door sensor").replace("/change/", "/do/undo/")
    paths["upload"] = row(page, url, paths["uploads"], "kettles-line-3.xlsx")
    paths["serial-numbers"] = row(page, url, paths["runs"], "Kettle K2")
    paths["device"] = row(page, url, paths["devices"] + "?state=offline", "Offline")
    paths["clone"] = row(page, url, paths["devices"] + "?client_ids=several", "ClientIDs")
    paths["switched"] = row(page, url, paths["devices"] + "?client_ids=switched", "Kettle K2")
    paths["switch"] = paths["clone"].replace("/change/", "/switch/")
    paths["clear"] = paths["clone"].replace("/change/", "/clear/")
    paths["compromised"] = link(page, url, paths["product"], "View")
    paths["log-entry"] = row(page, url, paths["log"] + "?code__exact=bad_signature&center=cn-shanghai", "Bad signature")
    paths["authority"] = row(page, url, paths["authorities"], "Example Works Device CA")
    paths["proof"] = row(page, url, paths["authorities"], "Huaqiang Assembly CA 2")
    paths["certified"] = row(page, url, paths["devices"] + "?q=gate-0002", "gate-0002")
    paths["certificate-entry"] = row(page, url, paths["log"] + "?code__exact=certificate_not_pinned&center=cn-shanghai", "gate-0001")
    paths["issuing"] = row(page, url, paths["products"], "Water meter")
    paths["what-if-certificate"] = "/registration/devicelogentry/what-if/certificate/?product=DOORSENS01&name=gate-0001"
    paths["user"] = row(page, url, paths["users"], "line-3")
    kettle = paths["product"].split("/")[-3]
    paths["flashing-method"] = link(page, url, paths["production-center"] + "?q=Kettle", "Batch production")
    paths["device-names"] = paths["flashing-method"] + "?flashing_method=per_device"
    paths["review"] = paths["device-names"] + "&source=automatic&quantity=1000&mac_pool=1&note=Order+2026-204&step=review"
    paths["drift"] = f"/devices/preimporteddevice/drift/?product={kettle}&center=cn-shanghai"
    paths["what-if"] = "/registration/devicelogentry/what-if/?product=a1KettleK2x&name=F0-FE-6B-00-00-08"
    paths["station"] = f"/devices/serialnumber/station/{kettle}/"
    bind(page, url, paths)
    return paths


def center(page: Page, url: str) -> None:
    """Lists of devices show one data center, which the session keeps."""
    page.goto(url + LISTS["devices"])
    page.locator("#data-center").select_option(label="Shanghai")
    page.wait_for_load_state("networkidle")


def row(page: Page, url: str, changelist: str, words: str) -> str:
    page.goto(url + changelist)
    found = page.locator("#result_list tbody tr", has_text=words).first.get_by_role("link").first
    return str(found.get_attribute("href")).partition("?")[0]


def link(page: Page, url: str, path: str, words: str) -> str:
    page.goto(url + path)
    return str(page.get_by_role("link", name=words).first.get_attribute("href"))


def bind(page: Page, url: str, paths: dict[str, str]) -> None:
    """Four labels at the station."""
    page.goto(url + paths["serial-numbers"])
    page.get_by_role("link", name="Free").click()
    labels = page.locator("#result_list tbody tr th").all_inner_texts()[:4]
    page.goto(url + paths["station"])
    for number, label in enumerate(labels):
        scan(page, f"A4-C1-38-00-01-{number:02X}", "half")
        scan(page, label.strip(), "bound")


def scan(page: Page, text: str, answer: str) -> None:
    page.locator("#id_scan").fill(text)
    page.keyboard.press("Enter")
    page.locator(f"[data-kind={answer}]").wait_for()


def scan_again(page: Page) -> None:
    """The last label comes off its device and goes on again, so that the page shows what it shows at work."""
    latest = page.locator("[data-part=latest] tbody tr").first
    _time, name, label = (cell.strip() for cell in latest.locator("td").all_inner_texts()[:3])
    latest.get_by_role("button").click()
    page.locator("[data-kind=noted]").wait_for()
    scan(page, name, "half")
    scan(page, label, "bound")


def prepare(page: Page, name: str) -> None:
    """What a person would have done on this page when the picture is taken."""
    if name == "search":
        page.keyboard.press("Control+k")
        page.keyboard.type("kettle")
        page.locator("#np-command-results a").first.wait_for()
    elif name == "list-tools":
        page.locator("details.np-drop").last.locator("summary").click()
    elif name == "station":
        scan_again(page)
