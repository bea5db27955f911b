"""Django's settings. What can be chosen is in console/environment.py; here is what follows from it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from console import jobs, logs, policy
from console.appearance import UNFOLD as UNFOLD
from console.environment import BASE_DIR, load
from console.rest.document import SPECTACULAR
from console.secret_key import secret_key

ENVIRONMENT = load()
DATA_DIR: Path = ENVIRONMENT.data_dir

# -- Safety ------------------------------------------------------------------------------------------------------------------------------
DEBUG = ENVIRONMENT.debug
SECRET_KEY = secret_key(ENVIRONMENT)
ALLOWED_HOSTS = ENVIRONMENT.hosts
CSRF_TRUSTED_ORIGINS = list(ENVIRONMENT.trusted_origins)
NAMEPLATE_KEY_RING = ENVIRONMENT.key_ring.get_secret_value()
NAMEPLATE_KEY_RING_FILE = ENVIRONMENT.key_ring_path

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENVIRONMENT.https_only
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https_only else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENVIRONMENT.https_only
# The server sets wsgi.url_scheme from X-Forwarded-Proto of trusted proxies alone; Django needs no header of its own.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_ENGINE = "console.people.session_store"
NAMEPLATE_SECOND_FACTOR = ENVIRONMENT.second_factor
NAMEPLATE_SESSION_IDLE_MINUTES = ENVIRONMENT.session_idle_minutes
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "console.people.throttling.Counter"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # What a sign-in forgives; the counter knows of the address alone too.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "console.people.throttling.place_of"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "csrfmiddlewaretoken", "next"]
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # Sign-ins are rows of ours.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # Its middleware would answer a lock-out with a page of its own; ours says how long to wait.
X_FRAME_OPTIONS = "DENY"
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
CONTENT_SECURITY_POLICY: dict[str, Any] = {"DIRECTIVES": policy.STRICT}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

# -- Applications ------------------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # The default one would put its own site in place of ours.
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "import_export",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_email",
    "axes",
    "csp",
    "console.apps.ConsoleConfig",
    "products",
    "devices",
    "registration",
]
MIDDLEWARE = [
    "console.doors.DeviceDoors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.request_log.RequestLog",
    "console.policy.PagePolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.people.session_guard.SessionGuard",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"words": "console.shared.template_words"},
        },
    }
]

# -- Storage and jobs --------------------------------------------------------------------------------------------------------------------
DATABASES = ENVIRONMENT.databases
DATABASE_ROUTERS = ["console.shared.routers.DataCenterRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = DATA_DIR / "files"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_HANDLERS = [
    "console.shared.files.upload_limit.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
NAMEPLATE_JOB_LEASE_SECONDS = ENVIRONMENT.job_lease_seconds
NAMEPLATE_BATCH_CHUNK_ROWS = ENVIRONMENT.batch_chunk_rows
NAMEPLATE_BATCH_FILE_DAYS = ENVIRONMENT.batch_file_days
CELERY = jobs.settings(redis_url=ENVIRONMENT.redis_url.get_secret_value(), data_dir=DATA_DIR)

# -- Words and times ---------------------------------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = ENVIRONMENT.time_zone
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "console.formats"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = ENVIRONMENT.https_only, True, "Lax"

# -- Parts of others ---------------------------------------------------------------------------------------------------------------------
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "add"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
IMPORT_EXPORT_USE_TRANSACTIONS = True
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = SPECTACULAR
OTP_TOTP_ISSUER = "Nameplate"
EMAIL_BACKEND = f"django.core.mail.backends.{ENVIRONMENT.mail.backend}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = ENVIRONMENT.mail.host, ENVIRONMENT.mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENVIRONMENT.mail.user, ENVIRONMENT.mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = ENVIRONMENT.mail.ssl, ENVIRONMENT.mail.starttls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = OTP_EMAIL_SENDER = ENVIRONMENT.email_from
NAMEPLATE_CODE_CHANNEL = ENVIRONMENT.code_channel
NAMEPLATE_SMS_GATEWAY = ENVIRONMENT.sms_gateway
NAMEPLATE_SMS_NUMBERS = dict(pair.split("=", 1) for pair in ENVIRONMENT.sms_numbers if "=" in pair)
NAMEPLATE_PRODUCT_CACHE_SECONDS = ENVIRONMENT.product_cache_seconds
NAMEPLATE_TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
NAMEPLATE_TLS_CERT, NAMEPLATE_TLS_KEY = ENVIRONMENT.tls_cert, ENVIRONMENT.tls_key
NAMEPLATE_MQTT_BIND, NAMEPLATE_MQTT_TLS_BIND = ENVIRONMENT.mqtt_bind, ENVIRONMENT.mqtt_tls_bind
NAMEPLATE_MQTT_TLS_PROFILE = ENVIRONMENT.mqtt_tls_profile
NAMEPLATE_MQTT_PROXY_PROTOCOL = ENVIRONMENT.mqtt_proxy_protocol
NAMEPLATE_MQTT_UPSTREAM = ENVIRONMENT.mqtt_beyond
NAMEPLATE_MQTT_UPSTREAM_PROXY_PROTOCOL = ENVIRONMENT.mqtt_upstream_proxy_protocol
NAMEPLATE_MQTT_READ_SECONDS = ENVIRONMENT.mqtt_read_seconds
NAMEPLATE_MQTT_CONNECTIONS = ENVIRONMENT.mqtt_connections
NAMEPLATE_MQTT_WAITING_PER_ADDRESS = ENVIRONMENT.mqtt_waiting_per_address
NAMEPLATE_MQTT_THREADS = ENVIRONMENT.mqtt_threads
NAMEPLATE_SIGNED_HOSTS = ENVIRONMENT.signed_hosts
NAMEPLATE_TENCENT_WINDOW_SECONDS = ENVIRONMENT.tencent_window_seconds
NAMEPLATE_METRICS_TOKEN = ENVIRONMENT.metrics_token.get_secret_value()
NAMEPLATE_LOG_DAYS = ENVIRONMENT.log_days
NAMEPLATE_CONNECTION_DAYS = ENVIRONMENT.connection_days
NAMEPLATE_UNUSED_CLIENT_ID_DAYS = ENVIRONMENT.unused_client_id_days
NAMEPLATE_RECORD_QUEUE = ENVIRONMENT.record_queue
NAMEPLATE_RECORD_AT_ONCE = False  # Tests write the records of connections before the answer, within their own transaction.

NAMEPLATE_LOG_FORMAT = ENVIRONMENT.log_format
LOGGING = logs.configure(level=ENVIRONMENT.log_level, json=ENVIRONMENT.log_format == "json")
LOGGING_CONFIG = "logging.config.dictConfig"
