"""Everything the demo shows, in one transaction; `manage.py seed_demo` calls `seed`."""

from random import Random

from django.db import transaction
from django.utils import timezone

from financing.demo.firms import seed_firms
from financing.demo.insurances import seed_insurance_requests, seed_insurance_reviews
from financing.demo.offers import seed_offers
from financing.demo.people import ACCOUNTS, seed_accounts, seed_institutions, seed_offices
from financing.demo.requests import seed_requests, seed_run_and_reviews
from financing.demo.stages import seed_stages
from financing.demo.targets import seed_goals
from financing.services.first_policy import ensure_policy
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.services import load_regions

SEED = 2014


def is_seeded() -> bool:
    """The first demo account is there."""
    return bool(User.objects.filter(email=ACCOUNTS[0].email).exists())


@transaction.atomic
def seed() -> None:
    """Write the demo data; the same on every machine but for the day it is written on."""
    random = Random(SEED)
    today = timezone.localdate()
    load_regions()
    ensure_policy()
    offices = seed_offices()
    institutions = seed_institutions()
    users = seed_accounts(offices, institutions)
    seed_goals(Actor.of(users["system@demo.example"]), offices, today)
    firms = seed_firms(random, users, today)
    seed_offers(random, institutions, today)
    seed_stages(users, today)
    seed_requests(random, firms, today)
    seed_insurance_requests(firms)
    seed_run_and_reviews(users)
    seed_insurance_reviews(users, today)
