"""Gunicorn's settings in production; deploy/README.md names the command."""

import multiprocessing

bind = "127.0.0.1:8000"
worker_class = "gthread"
workers = multiprocessing.cpu_count() + 1
threads = 4
graceful_timeout = 20
timeout = 60
# A slow leak in any library ends with its process.
max_requests = 5000
max_requests_jitter = 500
# Links that open without an account do not belong into a log.
logger_class = "sipo_portal.access_log.AccessLog"
