"""The tables of `prefstream up` and `prefstream status`."""

from rich.console import Console
from rich.table import Table

from infra.stack_status import StackStatus


def print_status(status: StackStatus) -> None:
    """Print what runs where, the topics and the groups to standard output."""
    console = Console()
    console.print(_addresses(status))
    if status.processes:
        console.print(_processes(status))
    for process in status.processes:
        if process.pause:
            said = f"{process.name} is paused ({process.pause.reason}): {process.pause.sentence}"
            console.print(said, style="yellow", highlight=False, markup=False)
    if status.topics:
        console.print(_topics(status))
    if status.groups:
        console.print(_groups(status))
    if status.problem:
        console.print(f"[red]{status.problem}[/red]", highlight=False)


def _addresses(status: StackStatus) -> Table:
    table = Table(show_header=False, box=None)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("Kafka", status.kafka or "-")
    table.add_row("ClickHouse", status.clickhouse or "-")
    table.add_row("review pages", status.review or "-")
    table.add_row("data", status.data_dir)
    table.add_row("supervisor", f"pid {status.supervisor_pid}" if status.supervisor_pid else "-")
    return table


def _processes(status: StackStatus) -> Table:
    table = Table("process", "pid", "status", box=None)
    table.add_column("log", overflow="fold")
    for process in status.processes:
        colour = "green" if process.status == "running" else "red"
        shown = f"[{colour}]{process.status}[/{colour}]"
        if process.pause:
            shown = f"[yellow]paused: {process.pause.reason}[/yellow]"
        pid = str(process.pid) if process.pid else "-"
        table.add_row(process.name, pid, shown, process.log)
    return table


def _topics(status: StackStatus) -> Table:
    table = Table("topic", "partitions", "messages", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for topic in status.topics:
        table.add_row(topic.topic, str(topic.partitions), f"{topic.messages:,}")
    return table


def _groups(status: StackStatus) -> Table:
    table = Table("group", "topic", "state", "members", "committed", "pending", box=None)
    for column in table.columns[3:]:
        column.justify = "right"
    for group in status.groups:
        table.add_row(
            group.group,
            group.topic,
            group.state,
            str(group.members),
            f"{group.committed:,}",
            f"{group.pending:,}",
        )
    return table
