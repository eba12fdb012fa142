"""`station-lab verify-group-ids`, also `verify_group_id_fix`: do group ids follow the rule?

With `multi_consumer_mode` each topic is read in the group `{group_id}-{topic}`, otherwise all in
`group_id`. What of that a live broker has committed, and whether it still lies in the log, is shown
too: what a change of mode or of group would leave behind.
"""

from pathlib import Path
from typing import Any

import click

EXIT_LOST = 1


@click.command("verify-group-ids")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration (.py or .toml) with the names of data_analysis.config.",
)
@click.option("--bootstrap", metavar="HOST:PORT,...", help="Kafka, instead of the configuration's.")
@click.option("--group-id", help="Consumer group, instead of the configuration's.")
@click.option("--module", "module_name", help="The business module, as in `serve`.")
@click.option("--offline", is_flag=True, help="Look at the configuration only.")
def verify_group_ids(config_path: Path | None, offline: bool, **given: Any) -> int:
    """Show which group reads which topic, and what each has committed.

    Exit code: 0 all committed offsets lie in their logs, 1 some do not (`out of range` at the next
    start), 2 it could not be looked at.
    """
    import asyncio

    from data_analysis.commands.group_offsets import group_offsets, missing_topics
    from data_analysis.commands.groups import configured_groups

    options, groups = configured_groups(config_path, **given)
    for group, topics in groups.items():
        click.echo(f"{group}: {', '.join(topics)}")
    if offline:
        return 0
    found = asyncio.run(group_offsets(options, groups))
    without = sorted({e.group for e in found} - {e.group for e in found if e.committed is not None})
    if without:
        click.echo(f"nothing committed yet: {', '.join(without)}")
    missing = missing_topics(found, groups)
    if missing:
        click.echo(f"not there: {', '.join(missing)}", err=True)
    lost = [each for each in found if each.is_lost]
    for each in lost:
        click.echo(
            f"{each.group}: {each.topic} partition {each.partition} is committed at"
            f" {each.committed}, outside the log [{each.start}, {each.end}]:"
            " the next start resets it; take another group_id, or reset the offsets"
        )
    return EXIT_LOST if lost else 0
