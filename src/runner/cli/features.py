"""Which features have options, and where each is declared; the command line knows no others."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.config import Known
    from runner.options import Opt, Options

#: Owner -> the class that declares its options, in the order in which help shows them.
OWNERS: dict[str, str] = {
    "run": "runner.engine.run_options:RunOptions",
    "monitor": "runner.engine.run_options:MonitorOptions",
    "show": "runner.engine.run_options:ShowOptions",
    "progress": "runner.engine.progress_options:ProgressOptions",
    "config": "runner.engine.config:ConfigOptions",
    "record": "runner.engine.run_options:RecordOptions",
    "retry": "runner.policy.retry:RetryOptions",
    "limits": "runner.engine.limit_options:LimitOptions",
    "lock": "runner.engine.limit_options:LockOptions",
    "alerts": "runner.engine.alert_options:AlertOptions",
    "own-log": "runner.engine.own_log_options:OwnLogOptions",
    "channels": "runner.channels.options:ChannelOptions",
    "heartbeat": "runner.engine.heartbeat:HeartbeatOptions",
    "confirm": "runner.engine.confirm:ConfirmOptions",
    "ci": "runner.engine.ci_options:CiOptions",
    "json": "runner.exporters.json_report:JsonOptions",
    "junit": "runner.exporters.junit:JunitOptions",
    "tap": "runner.exporters.tap:TapOptions",
    "markdown": "runner.exporters.markdown:MarkdownOptions",
    "html": "runner.exporters.html_report:HtmlOptions",
    "github": "runner.exporters.github:GithubOptions",
    "gitlab": "runner.exporters.gitlab:GitlabOptions",
    "history": "runner.engine.history_options:HistoryOptions",
    "db-stats": "runner.engine.history_options:StatsOptions",
    "db-cleanup": "runner.engine.history_options:CleanupOptions",
    "live-watch": "runner.engine.live_options:WatchOptions",
    "top": "runner.engine.live_options:TopOptions",
    "logs": "runner.engine.live_options:LogsOptions",
    "cancel": "runner.engine.live_options:CancelOptions",
    "export": "runner.engine.export_options:ExportOptions",
    "import": "runner.engine.export_options:ImportOptions",
    "compare": "runner.engine.compare_options:CompareOptions",
    "show-run": "runner.engine.one_run_options:OneRunOptions",
    "rerun": "runner.engine.one_run_options:RerunOptions",
    "query": "runner.engine.query_options:QueryOptions",
    "series": "runner.engine.query_options:SeriesOptions",
    "metrics": "runner.engine.query_options:MetricsOptions",
    "sql": "runner.engine.query_options:SqlOptions",
    "retention-add": "runner.engine.retention_options:AddPolicyOptions",
    "retention-apply": "runner.engine.retention_options:ApplyPolicyOptions",
    "retention-list": "runner.engine.retention_options:ListPoliciesOptions",
    "retention-name": "runner.engine.retention_options:NamedPolicyOptions",
    "retention-audit": "runner.engine.retention_options:AuditOptions",
    "deleting": "runner.engine.retention_options:DeletingOptions",
    "gate": "runner.engine.gate_files:GateOptions",
    "gate-revisions": "runner.engine.revision_options:RevisionOptions",
    "baseline-file": "runner.engine.baseline_options:BaselineFileOptions",
    "baseline-accept": "runner.engine.baseline_options:BaselineAcceptOptions",
    "config-file": "runner.cli.commands.config:ConfigFileOptions",
    "config-script": "runner.cli.commands.config:ConfigScriptOptions",
    "scripts": "runner.engine.history_options:ScriptsOptions",
    "errors": "runner.cli.commands.errors:ErrorsOptions",
    "check": "runner.engine.check:CheckOptions",
    "alerts-list": "runner.engine.alert_query_options:ListOptions",
    "alerts-ack": "runner.engine.alert_query_options:AckOptions",
    "alerts-mute": "runner.engine.alert_query_options:MuteOptions",
    "alerts-unmute": "runner.engine.alert_query_options:UnmuteOptions",
    "alerts-test": "runner.engine.alert_query_options:TestOptions",
    "alerts-outbox": "runner.engine.alert_query_options:OutboxOptions",
    "alerts-explain": "runner.engine.explain:ExplainOptions",
    "cache": "runner.cli.commands.cache:CacheOptions",
    "shell": "runner.cli.commands.completion:CompletionOptions",
}


def load(owner: str) -> type[Options]:
    """Return the class that declares the options of one owner, importing it if need be."""
    module, _, name = OWNERS[owner].partition(":")
    result: type[Options] = getattr(__import__(module, fromlist=[name]), name)
    return result


def known_keys() -> Known:
    """Return the keys of a configuration file, each with what returns its declaration; imports no feature yet."""
    from runner.cli.table import FILE

    def declared(owner: str, attr: str) -> Opt:
        return load(owner).declared[attr]

    return {key: lambda owner=owner, attr=attr: declared(owner, attr) for key, (owner, attr) in FILE.items()}  # type: ignore[misc]
