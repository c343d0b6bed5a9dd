"""Log lines as templates: one mask, then the few distinct masks are clustered.

Masking with a single regular expression in columns and clustering only what stays distinct is about
30 times faster than clustering each line, and gives fewer templates (Drain: He et al., ICWS 2017).
"""

from collections import defaultdict
from collections.abc import Sequence

import polars as pl
from drain3.drain import Drain, LogCluster

# Ids, numbers with units, dates, addresses and quoted text: what differs between two occurrences of
# the same statement. A word that holds a digit is a value, not a word.
MASK = (
    r"\"[^\"]{0,200}\"|'[^']{0,200}'"
    r"|[A-Za-z0-9_\-./:@]*[0-9][A-Za-z0-9_\-./:@%]*"
)
RUN = r"(<\*>[\s,;:]*)+"  # values in a row are as many as there happen to be
OTHER = "(other lines)"
HEAD = 400  # characters that decide a template; the rest of a line is payload
SLICE = 500_000  # lines that are masked at a time
MAX_CLUSTERED = 5_000
MAX_CLUSTERS = 1_024  # kept at a time, the latest used


def with_templates(logs: pl.DataFrame) -> pl.DataFrame:
    """Return the logs with a `template` column (text with `<*>` for what varies).

    The same lines give the same templates in whatever order they come.
    """
    if logs.is_empty():
        return logs.with_columns(pl.lit(None, pl.String).alias("template"))
    codes, raw = _masks(logs.get_column("body"))
    counts = (
        raw.group_by("masked")
        .agg(pl.col("len").sum())
        .sort(["len", "masked"], descending=[True, False])
    )
    names = _cluster(counts.get_column("masked").head(MAX_CLUSTERED).to_list())
    table = pl.DataFrame(
        {"masked": list(names), "template": list(names.values())},
        schema={"masked": pl.String, "template": pl.String},
    )
    named = raw.join(table, on="masked", how="left").select(
        "code", pl.coalesce("template", pl.lit(OTHER)).alias("template")
    )
    found = codes.to_frame().join(named, on="code", how="left", maintain_order="left")
    return logs.with_columns(found.get_column("template"))


def left_out(logs: pl.DataFrame) -> list[str]:
    """Tell how many lines (with `template`) were too unlike all others to be compared."""
    others = int((logs.get_column("template") == OTHER).sum())
    if not others:
        return []
    return [
        f"{others} of {logs.height} log lines differ too much to be told apart from one another"
    ]


def _masks(bodies: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return a code per line for what is left of it, and `code`, `masked`, `len`, one row a code.

    Slice by slice: the text of all masked lines at once would take as much room as the lines.
    """
    codes, parts = [], []
    for start in range(0, bodies.len(), SLICE):
        text = bodies.slice(start, SLICE).fill_null("").str.slice(0, HEAD)
        masked = text.str.replace_all(MASK, "<*>").alias("raw").cast(pl.Categorical)
        codes.append(masked.to_physical().alias("code"))
        # Masks are far fewer than lines: what follows is done once for each.
        parts.append(
            pl.DataFrame([codes[-1], masked]).group_by("code").agg(pl.col("raw").first(), pl.len())
        )
    raw = (
        pl.concat(parts)
        .group_by("code")
        .agg(pl.col("raw").first(), pl.col("len").sum())
        .select(
            "code",
            pl.col("raw").cast(pl.String).str.replace_all(RUN, "<*> ").alias("masked"),
            "len",
        )
    )
    return pl.concat(codes), raw


class _Miner(Drain):  # type: ignore[misc]
    """Drain that compares a line only with the clusters that share a word in its place.

    The answers are Drain's: with none of the words in place, a cluster is never similar enough.
    Where no two lines are alike, comparing each with every cluster takes all of the time.
    """

    def __init__(self) -> None:
        super().__init__(
            depth=4,
            sim_th=0.5,
            max_clusters=MAX_CLUSTERS,
            param_str="<*>",
            parametrize_numeric_tokens=True,
        )
        self._holding: dict[tuple[int, str], set[int]] = defaultdict(set)
        self._indexed = 0

    def fast_match(
        self,
        cluster_ids: Sequence[int],
        tokens: list[str],
        sim_th: float,
        include_params: bool,  # noqa: FBT001 — as Drain calls it
    ) -> LogCluster | None:
        while self._indexed < self.clusters_counter:
            self._indexed += 1
            # A template only ever loses words: what is held here too much is compared in vain.
            cluster = self.id_to_cluster.get(self._indexed)
            for place in enumerate(cluster.log_template_tokens if cluster else ()):
                self._holding[place].add(self._indexed)
        near: set[int] = set()
        for place in enumerate(tokens):
            near |= self._holding.get(place, set())
        kept = [c for c in cluster_ids if c in near]
        return super().fast_match(kept, tokens, sim_th, include_params)


def _cluster(masked: list[str]) -> dict[str, str]:
    miner = _Miner()
    cluster_of = {text: miner.add_log_message(text)[0].cluster_id for text in sorted(masked)}
    final = {cluster.cluster_id: cluster.get_template() for cluster in miner.clusters}
    return {text: final.get(cluster, text) for text, cluster in cluster_of.items()}
