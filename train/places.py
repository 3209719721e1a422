"""Where a command of training sends its work: processes of this machine, or a Dask cluster, as its arguments say."""

import argparse
from pathlib import Path
from typing import Any, NoReturn

from piano.errors import ConfigError, PianodError
from workers.place import Place, check_address


def add_place_arguments(parser: Any, what: str, *, limit_s: float) -> None:
    """Declare --jobs, --cluster, --limit-s and --resume; `what` are the items that are shared, in words."""
    parser.add_argument(
        "--jobs", type=int, default=1, help=f"processes that share {what} (default: %(default)s)", metavar="N"
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help=f"share {what} on a Dask cluster: its scheduler's address, or local:N; models are read by the same paths",
    )
    parser.add_argument(
        "--limit-s",
        type=float,
        default=limit_s,
        metavar="S",
        help="seconds that one may take on a cluster before its worker is ended (default: %(default)g)",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="a list of what has been done, kept as it comes, to go on from"
    )


def place_of(args: argparse.Namespace) -> Place:
    """Return the place that the arguments name; ConfigError if it cannot be meant."""
    if args.jobs < 1 or not args.limit_s > 0:
        raise ConfigError("--jobs is 1 or more, --limit-s above 0")
    if args.cluster is not None:
        check_address(args.cluster)
    return Place(jobs=args.jobs, cluster=args.cluster, limit_s=args.limit_s)


def given_up(what: str, why: str) -> NoReturn:
    """Raise PianodError: figures of which a part is missing are no figures."""
    raise PianodError(f"{what} was given up ({why}); the same command goes on, or begins anew")
