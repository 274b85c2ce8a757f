"""How sites are spelled in the files of others."""

from __future__ import annotations

from brainscan.core.address import Site
from brainscan.core.errors import UnknownSite, UsageError

_HOOKS = {
    "resid_pre": "blocks.{}.hook_resid_pre",
    "resid_mid": "blocks.{}.hook_resid_mid",
    "resid_post": "blocks.{}.hook_resid_post",
    "attn_out": "blocks.{}.hook_attn_out",
    "mlp_in": "blocks.{}.mlp.hook_in",
    "mlp_act": "blocks.{}.mlp.hook_post",
    "mlp_out": "blocks.{}.hook_mlp_out",
    "head_out": "blocks.{}.attn.hook_z",
    "final_norm": "ln_final.hook_normalized",
}


def hook_name(site: str) -> str:
    """TransformerLens's name of a site.

    Raises:
        UsageError: it has none.
    """
    parsed = Site.parse(site)
    if parsed.point not in _HOOKS:
        raise UsageError(f"{site} has no name in TransformerLens.", "Write it in brainscan's own format.")
    return _HOOKS[parsed.point].format(parsed.layer)


def site_name(hook: object) -> tuple[str, ...]:
    """The site of a foreign name as a tuple of one, or an empty one where the name is none of ours."""
    try:
        return (str(Site.parse(str(hook))),) if hook else ()
    except UnknownSite:
        return ()
