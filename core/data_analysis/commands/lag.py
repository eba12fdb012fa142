"""`station-lab lag`: how far a service's groups are behind, partition by partition."""

import json
from pathlib import Path
from typing import Any

import click


@click.command("lag")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration (.py or .toml) with the names of data_analysis.config.",
)
@click.option("--bootstrap", metavar="HOST:PORT,...", help="Kafka, instead of the configuration's.")
@click.option("--group-id", help="Consumer group, instead of the configuration's.")
@click.option("--module", "module_name", help="The business module, as in `serve`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def lag(config_path: Path | None, as_json: bool, **given: Any) -> None:
    """Show the lag of the configured topics: log end minus the committed offset.

    Lag counts from the log's start where the committed offset is older, or where there is none.
    """
    import asyncio

    from data_analysis.commands.group_offsets import group_offsets, missing_topics
    from data_analysis.commands.groups import configured_groups

    options, groups = configured_groups(config_path, **given)
    found = asyncio.run(group_offsets(options, groups))
    if as_json:
        for each in found:
            click.echo(json.dumps({**_shown(each), "group": each.group}))
        return
    width = max([len(each.topic) for each in found], default=5)
    click.echo(f"{'topic':<{width}}  partition  committed        end        lag")
    for each in found:
        committed = "-" if each.committed is None else each.committed
        lost = "  lost: outside the log" if each.is_lost else ""
        click.echo(
            f"{each.topic:<{width}}  {each.partition:>9}  {committed:>9}  {each.end:>9}"
            f"  {each.lag:>9}{lost}"
        )
    missing = missing_topics(found, groups)
    if missing:
        click.echo(f"not there: {', '.join(missing)}", err=True)


def _shown(found: Any) -> dict[str, Any]:
    return {
        "topic": found.topic,
        "partition": found.partition,
        "committed_offset": found.committed,
        "end_offset": found.end,
        "lag": found.lag,
    }
