"""Settings of every installation, read from the environment; `run.py` provides them locally."""

import sys
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONCE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- what an installation sets -------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach the portal, for lists and mails made outside a request.
PUBLIC_ADDRESS = env.str("PUBLIC_ADDRESS", "")
STATE_DIR = Path(env.str("STATE_DIR", str(BASE_DIR / ".state")))
# Served over TLS: cookies are marked secure and plain requests redirected.
SECURE = env.bool("SECURE", True)
# Demo data is accepted: social credit codes of division 990000, the demo account list.
DEMO_DATA = env.bool("DEMO_DATA", False)
REDIS_URL = env.str("REDIS_URL")
# Signs audit events and the head of their chain; keep it apart from the database's backups.
AUDIT_KEY = env.str("AUDIT_KEY", "") or SECRET_KEY

# --- applications ----------------------------------------------------------------------------
INSTALLED_APPS = [
    "sipo_portal.ui",
    "sipo_portal.audit",
    "sipo_portal.outbox",
    "sipo_portal.workflow",
    "sipo_portal.notices",
    "sipo_portal.offices",
    "sipo_portal.accounts",
    "businesses",
    "financing",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before all that may answer with an error of its own.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sipo_portal.accounts.middleware.session_limits",
    # Closed by default: a page is open to visitors only when marked with `accounts.access.public`.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "sipo_portal.accounts.middleware.chosen_language",
    "sipo_portal.accounts.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "sipo_portal.urls"
WSGI_APPLICATION = "sipo_portal.wsgi.application"
ASGI_APPLICATION = "sipo_portal.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- database, cache, jobs -------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"].setdefault("OPTIONS", {})
# A vanished peer is noticed within seconds, on both sides: locks and leases end with it.
DATABASES["default"]["OPTIONS"].update(
    {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3"
        " -c tcp_keepalives_count=3"
        + (" -c client_connection_check_interval=2000" if sys.platform == "linux" else ""),
    }
)
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", "test_sipo")}
# The role the web and the workers use; migrations run as the owner and grant it what it needs.
DATABASE_APP_ROLE = env.str("DATABASE_APP_ROLE", "")

# Only limits on tries (sign-in, sign-up) live here. In the database, so that signing in does not
# depend on Redis; the table is made by a migration of accounts.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
# Functions without arguments that `load_reference_data` calls, in this order.
REFERENCE_DATA_LOADERS = ["sipo_portal.offices.services.load_regions"]
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_APPLICATION = "sipo_portal.celery"
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", "sipo")
# The outbox decides what is sent again (sipo_portal/outbox); the broker only carries. A message in
# the hands of a dead worker stays invisible for a long time on purpose.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 1,
    # More than the second a worker waits in BRPOP; a frozen Redis is left after this.
    "socket_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 5,
}

CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE = {
    # Asks for the run of the whole country; the outbox brings it to a worker. Redis may lose what
    # beat sends, so it asks again until the morning: a night has one run however often it is asked.
    "nightly-matching": {
        "task": "financing.nightly_matching",
        "schedule": crontab(hour="2-5", minute="*/15"),
    },
    # Reminders, deadlines, escalation and expiry.
    "clocks": {
        "task": "financing.tick",
        "schedule": crontab(minute="*/10"),
    },
    # What changed in requests goes into the columns of match runs, so that the night's has little
    # to read. A message no worker took within the minute is worth nothing any more.
    "snapshot": {
        "task": "financing.refresh_snapshot",
        "schedule": crontab(),
        "options": {"expires": 50},
    },
}

# --- match runs over several workers (docs/matching-engine.md) -----------------------------

# A run of so many loan requests is cut into bundles of provinces that any worker may answer for;
# 0 = never. Below, one worker does it alone.
MATCHING_SHARDED_FROM = env.int("MATCHING_SHARDED_FROM", 2_000_000)
# Threads a worker uses for its part: as many as the machine has processors to each worker.
MATCHING_SHARD_THREADS = env.int("MATCHING_SHARD_THREADS", 1)
# What a worker process keeps packed between rounds, in MiB.
MATCHING_BUNDLE_CACHE_MIB = env.int("MATCHING_BUNDLE_CACHE_MIB", 4_000)

# --- people ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "sipo_portal.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "sipo_portal.accounts.sign_up.SignUpForm"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_MAX_EMAIL_ADDRESSES = 2
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# Per account and device, never per account or network address alone (accounts/adapters.py).
ACCOUNT_RATE_LIMITS = {"login_failed": "8/1800s/key", "login": "60/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
MFA_ADAPTER = "sipo_portal.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "SIPO"
MFA_TOTP_TOLERANCE = 1
# Limits of a session: accounts/middleware.py; this only has to be longer.
SESSION_COOKIE_AGE = 13 * 3600

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- language, time, money -------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "sipo_portal" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

# --- mail ------------------------------------------------------------------------------------
_mail = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH") or str(STATE_DIR / "mail")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "portal@localhost")

# --- files -----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "sipo_portal" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- logs ------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_secrets": {"()": "sipo_portal.access_log.WithoutSecrets"}},
    "loggers": {"django.request": {"filters": ["without_secrets"]}},
}

# --- headers ---------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_SSL_REDIRECT = SECURE
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
X_FRAME_OPTIONS = "DENY"
