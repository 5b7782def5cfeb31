"""The commands `listener_head study ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer(help="User study: make its page, serve it, analyse the answers.", no_args_is_help=True)


@app.command()
def make(
    table: Annotated[
        Path, typer.Argument(help="Table of rendered videos (.csv): clip, set, attitude, method, video.")
    ],
    output: Annotated[Path, typer.Option(help="New folder for the page.")] = Path("out/study"),
    key: Annotated[
        Path | None, typer.Option(help="File that tells which video is what; OUTPUT.key.json if left out.")
    ] = None,
    questions: Annotated[
        int, typer.Option(help="Questions of each test that one rater answers, at most.", min=1)
    ] = 30,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Listening study",
) -> None:
    """Write the page of the paper's two tests, and the key apart from it.

    Example: listener_head study make videos.csv --output out/study
    """
    from listener_head.progress import progress_bar
    from listener_head.study.make import make_study

    key_path = key or output.with_name(f"{output.name}.key.json")
    with progress_bar("copying videos", transient=True) as report:
        made = make_study(table, output, key_path, questions, title, report)
    tests = [question.test for question in made.manifest.questions]
    console = Console(highlight=False)
    for test in ("preference", "matching"):
        console.print(
            f"{tests.count(test)} {test} questions, {min(tests.count(test), questions)} for a rater"
        )
    console.print(
        f"{escape(str(output))}  [dim]for raters: open index.html, or `listener_head study serve`[/]"
    )
    console.print(f"{escape(str(key_path))}  [dim]not for raters: `listener_head study analyse` needs it[/]")


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="Folder of `listener_head study make`.")],
    output: Annotated[
        Path, typer.Option(help="SQLite database of the answers; added to if it exists.")
    ] = Path("out/answers.db"),
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets the whole network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for any.", min=0, max=65535)] = 8000,
) -> None:
    """Serve a study's page and store the answers, until Ctrl-C.

    Example: listener_head study serve out/study --output out/answers.db
    """
    from listener_head.study.server import make_server

    console = Console(highlight=False)
    server = make_server(folder, output, host, port, lambda line: console.print(escape(line)))
    with server:
        console.print(
            f"http://{host}:{server.server_address[1]}/  [dim]answers go to {escape(str(output))}[/]"
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("stopped")


@app.command()
def analyse(
    answers: Annotated[list[Path], typer.Argument(help="Answer files (.json) and databases, of one study.")],
    key: Annotated[Path, typer.Option(help="Key file of `listener_head study make`.")],
    output: Annotated[Path, typer.Option(help="Folder of study.json and study.csv.")] = Path(
        "out/study_results"
    ),
) -> None:
    """Print the paper's Tables 4 and 5: mean and variance over the raters, for each set.

    Example: listener_head study analyse out/answers.db --key out/study.key.json
    """
    from listener_head.study.analyse import analyse as analyse_answers

    analyse_answers(answers, key, output, Console())
