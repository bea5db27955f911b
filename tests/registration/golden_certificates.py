"""What proxies wrote about one client certificate (a P-256 key under an intermediate CA, DN with a comma in it), byte for byte.

HAPROXY, HAPROXY_LEAF_ALONE, HAPROXY_NONE: recorded from HAProxy 2.6.12 (Debian 12) with the lines of docs/brokers.md on a listener with
`verify optional crt-ignore-err all ca-ignore-err all` and the root alone in ca-file; the client was curl with OpenSSL 3.0.
NGINX: the same certificate as nginx 1.22 writes $ssl_client_escaped_cert (ngx_http_ssl_module: the PEM with its last line feed through
ngx_escape_uri as a URI component: upper-case hex, all but letters, digits and - . _ ~), put together by that rule.
ENVOY: x-forwarded-client-cert, put together: the farther hop is the first example of Envoy's documentation (HTTP header manipulation,
x-forwarded-client-cert); in the nearest one Cert and Chain are escaped as Envoy did for years (connection_info_impl_base.cc:
only line feed, blank, + / and =); newer ones escape all but letters, digits and - . _ ~, as nginx does.
"""

import hashlib
from base64 import b64decode
from typing import Final

from console.crypto.certificates import pem

LEAF_BASE64: Final = (
    "MIIBZTCCAQsCFDK0NCmzkcrN4y4A5U7HGrMdHWSWMAoGCCqGSM49BAMCMDIxCzAJBgNVBAYTAkRFMRIwEAYDVQQKDAlBY21lLCBJbmMxDzANBgNVBAMMBkxpbmUgMTAeFw0y"
    "NjExMjExMTU4MThaFw0zNjExMTgxMTU4MThaMDgxCzAJBgNVBAYTAkRFMRIwEAYDVQQKDAlBY21lLCBJbmMxFTATBgNVBAMMDEE0REEzMjAwMDAwMTBZMBMGByqGSM49AgEG"
    "CCqGSM49AwEHA0IABJ65IMu6NKwxiC0ECLO8EC3kosnqNa3b1SPcqCyrOeX4coVWknzDx4slWWm4bLxBf4+maSH3bt87ya4qsw4YTLgwCgYIKoZIzj0EAwIDSAAwRQIhAJVt"
    "OssEa4n/EWuOIANXtLV23HKl5IB3hhJyTHkwlNgcAiBsrjtIF5b4drxggqnngauhXQlqm8s8/VS4Be5pvRC2GQ=="
)
MIDDLE_BASE64: Final = (
    "MIIBvTCCAWKgAwIBAgIUBNgfgYiSnUVs3h8yv3a8pkPHEcYwCgYIKoZIzj0EAwIwNTELMAkGA1UEBhMCREUxEjAQBgNVBAoMCUFjbWUsIEluYzESMBAGA1UEAwwJRGV2aWNl"
    "IENBMB4XDTI2MTEyMTExNTgxOFoXDTM2MTExODExNTgxOFowMjELMAkGA1UEBhMCREUxEjAQBgNVBAoMCUFjbWUsIEluYzEPMA0GA1UEAwwGTGluZSAxMFkwEwYHKoZIzj0C"
    "AQYIKoZIzj0DAQcDQgAE3g5+q0UTCxPWM3ZbB5rtzY1GMjzDP6DLTx6/bu+IOx6QK4ey1o4DfLmZkr+XzZZfaDC2IQL1TWymhE4V35ESpqNTMFEwDwYDVR0TAQH/BAUwAwEB"
    "/zAdBgNVHQ4EFgQUm0MsYUFM/3rd81uZrTw3ZldbKT8wHwYDVR0jBBgwFoAUVWW+rHdTwUlWijYECyXATLlJP2owCgYIKoZIzj0EAwIDSQAwRgIhAMW+as0JhpRHm0/LnSCB"
    "zgYiwjpTon89+LZqVMJzGSyHAiEAi1hxUxhOLH0x0DilFyL+eRUtCQoJ5cxfYstYklLhqmY="
)
LEAF: Final = b64decode(LEAF_BASE64)
MIDDLE: Final = b64decode(MIDDLE_BASE64)
SHA1: Final = "08400C12F179DEBFB7A1EE6F0AD97CCB7140719D"
"""ssl_c_sha1,hex of the leaf."""

HAPROXY: Final = {
    "X-SSL-Client-Used": "1",
    "X-SSL-Client-Verify": "0",
    "X-SSL-Client-DER": LEAF_BASE64,
    "X-SSL-Client-Chain-DER": MIDDLE_BASE64,
}
HAPROXY_LEAF_ALONE: Final = HAPROXY | {"X-SSL-Client-Verify": "21", "X-SSL-Client-Chain-DER": ""}
HAPROXY_NONE: Final = {"X-SSL-Client-Used": "0", "X-SSL-Client-Verify": "0", "X-SSL-Client-DER": "", "X-SSL-Client-Chain-DER": ""}


def nginx_escaped(text: str) -> str:
    return "".join(one if one.isalnum() or one in "-._~" else f"%{ord(one):02X}" for one in text)


def envoy_escaped(text: str) -> str:
    return text.replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


NGINX: Final = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": nginx_escaped(pem.armoured(LEAF))}
FARTHER_HOP: Final = (
    "By=http://frontend.lyft.com;Hash=468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688;"
    'Subject="/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client";URI=http://testclient.lyft.com'
)
NEAREST_HOP: Final = (
    f"By=spiffe://console;Hash={hashlib.sha256(LEAF).hexdigest()};"
    f'Cert="{envoy_escaped(pem.armoured(LEAF))}";Chain="{envoy_escaped(pem.armoured(LEAF) + pem.armoured(MIDDLE))}";'
    r'Subject="CN=A4DA32000001,O=\"Acme, Inc\",C=DE";URI=;DNS=one.example;DNS=two.example'
)
ENVOY: Final = {"X-Forwarded-Client-Cert": f"{FARTHER_HOP},{NEAREST_HOP}"}
