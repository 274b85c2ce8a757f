"""Whether a dictionary fits a subject: seen in a run of one token, before texts are read for it."""

from __future__ import annotations

from brainscan.activations.stream import site_widths
from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.subject.language import LanguageSubject


def check_fit(subject: LanguageSubject, dictionary: Dictionary) -> tuple[Site, ...]:
    """The sites that the dictionary reads, if the subject has them in its width, and those that it writes.

    Raises:
        UsageError: the dictionary does not say what it reads, or another width stands there.
        SiteUnavailable: the subject lacks a site.
    """
    if not dictionary.reads:
        raise UsageError(
            "This dictionary does not say which site it reads.",
            "Name it once with brainscan dictionary convert --site, as resid_post.12.",
        )
    reads, writes = (tuple(subject.check(site) for site in sites) for sites in (dictionary.reads, dictionary.writes))
    widths = site_widths(subject, (*reads, *writes))
    for verb, sites, wanted in (("reads", reads, dictionary.d_in), ("writes", writes, dictionary.d_out)):
        found = sum(widths[site] for site in sites)
        if sites and found != wanted:
            raise UsageError(
                f"This dictionary {verb} {wanted} numbers a token and {', '.join(map(str, sites))} of "
                f"{subject.card.name} has {found}.",
                "Check that it was trained on this model and site.",
            )
    return reads
