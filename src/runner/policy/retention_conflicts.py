"""Which retention policies contradict each other, by what they say and by the scripts that there are.

Whatever is not found here does no harm to a minimum: what it keeps is withheld from every deletion, run by run.
"""

from __future__ import annotations

from runner.model.run import fits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from runner.policy.retention import Policy

    #: Key, path as it was typed, and name of a script.
    Script = tuple[str, str, str]


def contradiction(new: Policy, others: Iterable[Policy], known: Collection[Script] = ()) -> str:
    """Return one line saying which policy `new` contradicts and how, "" where it contradicts none.

    Args:
        new: The policy that is to be.
        others: Those that there are; one of the same name is replaced.
        known: Scripts that there are.
    """
    for other in others:
        if other.name.lower() == new.name.lower():
            continue
        for one, two in ((new, other), (other, new)):
            if not one.compliance or one.days is None:
                continue
            bound = f"but policy {one.name!r} ({one.compliance}) keeps at {'least' if one.floor else 'most'}"
            sooner = one.floor and not two.floor and two.soonest(one) < one.days
            if sooner and (covers(one, two, known) or (two.ceiling and meet(one, two, known))):
                return f"policy {two.name!r} {two.describe()}, {bound} {one.days:g} days"
            longer = one.ceiling and not two.metrics and two.days is not None and two.days > one.days
            if longer and covers(one, two, known):
                return f"policy {two.name!r} {two.describe()}, {bound} {one.days:g} days"
    return ""


def forbidding(deletion: Policy, policies: Iterable[Policy]) -> Policy | None:
    """Return the policy whose minimum plainly covers all that a deletion is about and is longer, None for none."""
    for policy in policies:
        if policy.days is not None and deletion.soonest(policy) < policy.days and covers(policy, deletion):
            return policy
    return None


def outdoes(new: Policy, before: Policy) -> bool:
    """Whether a policy is a minimum that keeps all that another one keeps."""
    figures = not new.metrics or (bool(before.metrics) and set(before.metrics) <= set(new.metrics))
    longer = new.days is not None and before.days is not None and new.days >= before.days
    return new.floor and figures and longer and covers(new, before)


def covers(one: Policy, other: Policy, known: Collection[Script] = ()) -> bool:
    """Whether it is plain that every run that `other` speaks of is one that `one` speaks of.

    Args:
        one: The wider one.
        other: The narrower one.
        known: Scripts that there are: they may tell what names alone don't.
    """
    return one.status in ("", other.status) and _includes(one.script, other.script, known)


def meet(one: Policy, other: Policy, known: Collection[Script] = ()) -> bool:
    """Whether it is plain that both can speak of the same run (see `covers`)."""
    shared = _includes(one.script, other.script) or _includes(other.script, one.script)
    shared = shared or any(fits(one.script, script) and fits(other.script, script) for script in known)
    return shared and not _disjoint(one.status, other.status)


def _includes(outer: str, inner: str, known: Collection[Script] = ()) -> bool:
    """Whether every script that one word fits is one that another word fits too."""
    if outer in ("", inner) or inner.endswith("/" + outer.removeprefix("./")):
        return True
    meant = [script for script in known if fits(inner, script)] if inner else []
    return bool(meant) and all(fits(outer, script) for script in meant)


def _disjoint(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return False
    pair = {one, other}
    if "exited" in pair:  # both those with exit code 0 and others
        return not pair & {"success", "failed"}
    return "failed" not in pair or "success" in pair
