"""What an operator pastes into nginx, HAProxy or Envoy so that they ask us about devices with certificates. Each sets every header that we
read, so that none of a client's gets through."""

from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from registration.admin.line_parts import Hook, Lines

NGINX_TLS: Final = """    proxy_ssl_server_name on;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
"""


def nginx(hook: Hook, vhost: str) -> list[Lines]:
    server = f"""server {{
    listen 8443 ssl;
    ssl_certificate /etc/nginx/tls/devices.pem;
    ssl_certificate_key /etc/nginx/tls/devices.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client optional_no_ca;
    error_page 495 496 = @refused;

    proxy_set_header X-Proxy-Secret "{hook.secret}";
    proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
    proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header Content-Length "";
    proxy_pass_request_body off;
{_nginx_tls(hook)}
    location = /connect {{
        proxy_method GET;
        proxy_pass {hook.base}/hooks/nginx/connect;
    }}
    location @refused {{
        proxy_method GET;
        rewrite ^ /hooks/nginx/connect break;
        proxy_pass {hook.base};
    }}
    # include devices.conf;
}}
"""
    service = f"""location / {{
    auth_request /certificate;
    auth_request_set $device_product_key $upstream_http_x_device_product_key;
    auth_request_set $device_name $upstream_http_x_device_name;
    proxy_set_header X-Device-Product-Key $device_product_key;
    proxy_set_header X-Device-Name $device_name;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_pass_request_body on;
    proxy_pass http://127.0.0.1:9000;
}}
location = /certificate {{
    internal;
    proxy_pass {hook.base}/hooks/nginx/connect;
}}
"""
    about = _(
        "Devices ask at /connect. nginx itself judges no certificate: the console does, with its CAs and revocation lists. "
        "It hands on the device's own certificate alone, so upload the intermediate CA where there is one."
    )
    behind = _("Only for a service of yours behind nginx: it gets the devices that are let in, with their names.")
    return [Lines("nginx.conf", server, about), Lines("devices.conf", service, behind)]


def _nginx_tls(hook: Hook) -> str:
    """By itself nginx believes every certificate of the console, and would tell the secret to whoever is there."""
    if not hook.base.startswith("https:"):
        return ""
    return f"""    proxy_ssl_verify on;
    proxy_ssl_verify_depth 4;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
    proxy_ssl_name {urlsplit(hook.base).hostname};
    proxy_ssl_server_name on;
"""


HAPROXY_BIND: Final = (
    "bind :8443 ssl crt /etc/haproxy/tls/devices.pem ssl-min-ver TLSv1.2 ca-file /etc/haproxy/tls/device-cas.pem "
    "verify optional crt-ignore-err all ca-ignore-err all no-tls-tickets"
)


def haproxy(hook: Hook, vhost: str) -> list[Lines]:
    parts = urlsplit(hook.base)
    is_tls = parts.scheme == "https"
    # HAProxy compares the host with the certificate's names only where it is told the host's name.
    tls = f" ssl verify required ca-file @system-ca sni str({parts.hostname})" if is_tls else ""
    conf = f"""global
    # A TLS session that a device takes up again has lost its intermediate certificates: each connection begins a new one.
    tune.ssl.cachesize 0

frontend devices
    mode http
    {HAPROXY_BIND}
    http-request deny deny_status 404 unless {{ path /connect }}
    http-request del-header ^x[-_](ssl|proxy|forwarded)[-_] -m reg
    http-request set-header X-Proxy-Secret {hook.secret}
    http-request set-header X-SSL-Client-Used %[ssl_c_used]
    http-request set-header X-SSL-Client-Verify %[ssl_c_verify]
    http-request set-header X-SSL-Client-DER %[ssl_c_der,base64]
    http-request set-header X-SSL-Client-Chain-DER %[ssl_c_chain_der,base64]
    http-request set-header X-Forwarded-For %[src]
    http-request set-path /hooks/haproxy/connect
    default_backend nameplate

backend nameplate
    mode http
    server nameplate {parts.hostname}:{parts.port or (443 if is_tls else 80)}{tls}
"""
    about = _(
        "Devices ask at /connect. device-cas.pem has the CA certificates up to the root; reload HAProxy when it changes. "
        "HAProxy hands on the intermediate certificates that a device sends."
    )
    return [Lines("haproxy.cfg", conf, about)]


def envoy(hook: Hook, vhost: str) -> list[Lines]:
    parts = urlsplit(hook.base)
    is_tls = parts.scheme == "https"
    about = _("The parts that matter: the listener asks for a certificate, hands it on, and asks here about every request.")
    filters = f"""forward_client_cert_details: SANITIZE_SET
set_current_client_cert_details: {{cert: true, chain: true}}
use_remote_address: true
http_filters:
- name: envoy.filters.http.ext_authz
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
    failure_mode_allow: false
    http_service:
      server_uri: {{uri: "{hook.base}", cluster: nameplate, timeout: 5s}}
      path_prefix: /hooks/envoy/connect
      authorization_request:
        headers_to_add: [{{key: x-proxy-secret, value: "{hook.secret}"}}]
      authorization_response:
        allowed_upstream_headers: {{patterns: [{{exact: x-device-product-key}}, {{exact: x-device-name}}]}}
    allowed_headers: {{patterns: [{{exact: x-forwarded-client-cert}}, {{exact: x-forwarded-for}}]}}
- name: envoy.filters.http.router
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"""
    return [
        Lines("envoy.yaml", ENVOY_TLS, _("Within the listener: it asks for a certificate, and leaves the trust to the console.")),
        Lines("envoy.yaml", filters, about),
        Lines("envoy.yaml", _envoy_cluster(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls)),
    ]


ENVOY_TLS: Final = """transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
    require_client_certificate: true
    common_tls_context:
      tls_certificates:
      - certificate_chain: {filename: /etc/envoy/devices.pem}
        private_key: {filename: /etc/envoy/devices.key}
      validation_context:
        trusted_ca: {filename: /etc/envoy/device-cas.pem}
        trust_chain_verification: ACCEPT_UNTRUSTED
"""


def _envoy_cluster(host: str, port: int, is_tls: bool) -> str:
    tls = f"""  transport_socket:
    name: envoy.transport_sockets.tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
      sni: {host}
      common_tls_context:
        validation_context: {{trusted_ca: {{filename: /etc/ssl/certs/ca-certificates.crt}}}}
"""
    return f"""clusters:
- name: nameplate
  type: STRICT_DNS
  load_assignment:
    cluster_name: nameplate
    endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}}}]}}]
{tls if is_tls else ""}"""
