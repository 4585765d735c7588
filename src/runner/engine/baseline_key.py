"""Which series of a baseline a run belongs to: branch and machine, as the variables of CI systems name them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: Key of a run outside of CI.
DEFAULT = "default"
#: What follows a branch that is to be merged into one of the same name, in the key of its runs.
PROPOSED = " (pull request)"

# Of each system the branch that a change comes from is named before what is built for it ("12/merge", "PR-12").
_BRANCH = (
    "GITHUB_HEAD_REF", "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME",  # GitLab
    "CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH",  # Jenkins
    "CIRCLE_BRANCH", "CIRCLE_TAG", "BUILDKITE_BRANCH", "BITBUCKET_BRANCH", "BITBUCKET_TAG",
    "TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH",
    "SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH",  # Azure
)  # fmt: skip
#: The branch that it is to be merged into; CircleCI does not tell.
_TARGET = (
    "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET", "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH", "SYSTEM_PULLREQUEST_TARGETBRANCH",
)  # fmt: skip


class Key:
    """Where a run belongs.

    Attributes:
        branch: Branch that is built, `DEFAULT` where no variable names one.
        target: Branch that a proposed change is to be merged into, "" where the run is of no such change.
        testbed: Machine, where its name is the same from run to run; "" otherwise.
        explicit: Whether a person named the key.
    """

    __slots__ = ("branch", "explicit", "target", "testbed")

    def __init__(self, branch: str = DEFAULT, target: str = "", testbed: str = "", explicit: bool = False) -> None:
        self.branch = branch
        self.target = target
        self.testbed = testbed
        self.explicit = explicit

    @property
    def own(self) -> str:
        """The key under which the run is kept."""
        return f"{self.branch}@{self.testbed}" if self.testbed else self.branch

    def wanted(self) -> list[str]:
        """Return the keys to compare with, the best first: a proposed change goes by the branch it wants into."""
        if self.explicit:
            return [self.branch]
        branches = [branch for branch in (self.target, self.branch) if branch]
        machine = [f"{branch}@{self.testbed}" for branch in branches if self.testbed]
        keys = [key for pair in zip(machine, branches, strict=True) for key in pair] if machine else branches
        return list(dict.fromkeys([*keys, DEFAULT]))


def key_of(environ: Mapping[str, str], named: str = "") -> Key:
    """Return the key of a run.

    Args:
        environ: The environment.
        named: What a person called it, "" to go by the environment.
    """
    if named:
        return Key(named, explicit=True)
    branch = next((environ[name] for name in _BRANCH if environ.get(name)), "")
    target = next((environ[name] for name in _TARGET if environ.get(name)), "")
    if environ.get("TRAVIS_PULL_REQUEST", "false") != "false":
        target = target or environ.get("TRAVIS_BRANCH", "")
    branch, target = _short(branch) or DEFAULT, _short(target)
    if branch == target:  # of a fork: what it costs is nothing that the branch itself has cost
        branch += PROPOSED
    return Key(branch, target, _testbed(environ))


def _testbed(environ: Mapping[str, str]) -> str:
    # A machine that the host of the CI lends has another name every time.
    if environ.get("RUNNER_ENVIRONMENT", "") == "self-hosted":
        return environ.get("RUNNER_NAME", "")
    return environ.get("NODE_NAME", "") if environ.get("JENKINS_URL") else ""


def _short(ref: str) -> str:
    for beginning in ("refs/heads/", "refs/tags/", "origin/"):
        ref = ref.removeprefix(beginning)
    return ref
