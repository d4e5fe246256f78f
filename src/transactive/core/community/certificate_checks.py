"""Whether what a community file says of certificates is possible: sources have factors, zones names, wishes limits."""

from __future__ import annotations

from transactive.core.community.certificate_rules import SOLAR, CertificateRules, CertificateWishes, Generator
from transactive.core.community.community import Community
from transactive.core.errors import DataError


def check_certificates(community: Community) -> None:
    """Raise DataError naming member and key for the first thing that cannot be."""
    rules, tick, place = community.carbon.certificates, community.market.tick_micro_per_kwh, ""
    check_rules(rules)
    try:
        for member in community.members:
            place = member.id
            check_zone(member.zone, rules)
            check_generator(member.generator.over(rules.generator), "generator")
            check_wishes(member.certificates, tick)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None
    devices = community.device_ids
    if len(set(devices)) < len(devices):
        twice = next(device for place, device in enumerate(devices) if device in devices[:place])
        raise DataError(f"generator.id {twice!r} is there twice; ids are unique")


def check_rules(rules: CertificateRules) -> None:
    """Raise DataError, naming the key, for zones that are there twice or a reach between unknown ones."""
    if len(set(rules.zones)) < len(rules.zones):
        raise DataError("carbon.certificates.zones: a zone is there twice; zones are unique")
    for pair in rules.reach:
        for zone in pair:
            if zone not in rules.zones:
                known = ", ".join(rules.zones) or "none"
                raise DataError(f"carbon.certificates.reach: {zone!r} is not one of zones ({known}); correct it")
    check_generator(rules.generator, "carbon.certificates.generator")


def check_zone(zone: str | None, rules: CertificateRules) -> None:
    """Raise DataError unless a member is in one of the zones that its community names."""
    if rules.zones and zone not in rules.zones:
        said = "zone is missing" if zone is None else f"zone = {zone!r} is not one of carbon.certificates.zones"
        raise DataError(f"{said}; choose one of {', '.join(rules.zones)}")


def check_generator(generator: Generator, key: str) -> None:
    """Raise DataError for a source without a factor, or a factor from nowhere."""
    if generator.factor_g_per_kwh is not None and not generator.factor_source:
        raise DataError(f"{key}.factor_source is missing; say where {generator.factor_g_per_kwh} g/kWh comes from")
    if generator.factor_source is not None and generator.factor_g_per_kwh is None:
        raise DataError(f"{key}.factor_g_per_kwh is missing; give the factor that {generator.factor_source!r} states")
    if generator.source not in (None, SOLAR) and generator.factor_g_per_kwh is None:
        raise DataError(f"{key}.source = {generator.source!r} has no factor; give factor_g_per_kwh and factor_source")


def check_wishes(wishes: CertificateWishes, tick: int) -> None:
    """Raise DataError for a limit without its wish, a wish without its limit, or a limit between two ticks."""
    for wish, at, key in (
        (wishes.exports == "sell", wishes.ask_micro_per_kwh, "ask_micro_per_kwh"),
        (wishes.imports == "buy", wishes.bid_micro_per_kwh, "bid_micro_per_kwh"),
    ):
        side = 'exports = "sell"' if key.startswith("ask") else 'imports = "buy"'
        if wish and at is None:
            raise DataError(f"certificates.{key} is missing; {side} needs a limit")
        if not wish and at is not None:
            raise DataError(f"certificates.{key} is for nothing; it needs {side}")
        if at is not None and at % tick:
            raise DataError(f"certificates.{key} = {at} is between two ticks of {tick}; choose a multiple of it")
