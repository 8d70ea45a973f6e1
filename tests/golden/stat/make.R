# SPDX-License-Identifier: MIT
#
# make.R: what R says to the tables and samples that tests/unit check (Debian: r-base-core).
#
#   Rscript tests/golden/stat/make.R      writes fisher.tsv, interval.tsv and rank.tsv beside itself
#
# Base R only. The numbers are drawn from a fixed seed, so a second run writes the same files.
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
set.seed(1935, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

write_table <- function(name, call, columns, rows) {
	out <- c(paste("#", R.version.string, "tests/golden/stat/make.R"), paste("#", call),
		 paste("#", columns), rows)
	writeLines(out, file.path(here, name))
}
number <- function(x) formatC(x, digits = 17, format = "g", width = 1)
row <- function(...) paste(..., sep = "\t")

# ---- tables of fails and runs ----------------------------------------------------------------
fisher_row <- function(fails_a, runs_a, fails_b, runs_b) {
	m <- matrix(c(fails_a, runs_a - fails_a, fails_b, runs_b - fails_b), 2)
	row(fails_a, runs_a, fails_b, runs_b, number(fisher.test(m)$p.value),
	    number(fisher.test(m, alternative = "greater")$p.value))
}
rows <- character()
for (runs_a in 1:4) for (runs_b in c(1, 3, 5)) # all small ones
	for (fails_a in 0:runs_a) for (fails_b in 0:runs_b)
		rows <- c(rows, fisher_row(fails_a, runs_a, fails_b, runs_b))
for (most in c(20, 100, 1000, 20000)) for (i in 1:50) {
	runs <- sample(most, 2, replace = TRUE)
	# Rates that are often near each other, so that p is often of interest.
	rate <- plogis(rnorm(1, -1, 2) + c(0, rnorm(1, 0, 4 / sqrt(sqrt(most)))))
	fails <- rbinom(2, runs, rate)
	rows <- c(rows, fisher_row(fails[1], runs[1], fails[2], runs[2]))
}
write_table("fisher.tsv", "fisher.test(), and with alternative = \"greater\"",
	    "fails_a runs_a fails_b runs_b two_sided greater", rows)

# ---- intervals of a rate ---------------------------------------------------------------------
interval_row <- function(fails, runs, confidence) {
	i <- binom.test(fails, runs, conf.level = confidence)$conf.int
	row(fails, runs, confidence, number(i[1]), number(i[2]))
}
rows <- character()
for (runs in c(1, 2, 5, 11)) for (fails in 0:runs)
	rows <- c(rows, interval_row(fails, runs, 0.95))
for (most in c(50, 1000, 100000)) for (confidence in c(0.5, 0.9, 0.99, 0.9999)) for (i in 1:12) {
	runs <- sample(most, 1)
	rows <- c(rows, interval_row(rbinom(1, runs, plogis(rnorm(1, -1, 3))), runs, confidence))
}
write_table("interval.tsv", "binom.test()$conf.int", "fails runs confidence low high", rows)

# ---- samples of a metric ---------------------------------------------------------------------
# Every division of the very ranks, listed: the definition, for samples that are small enough.
enumerated_p <- function(a, b) {
	ranks <- rank(c(a, b))
	sums <- combn(length(ranks), length(a), function(i) sum(ranks[i]))
	mean_sum <- length(a) * (length(ranks) + 1) / 2
	mean(abs(sums - mean_sum) >= abs(sum(ranks[seq_along(a)]) - mean_sum) - 1e-9)
}
rank_row <- function(kind, a, b) {
	p <- switch(kind, enumerated = enumerated_p(a, b),
		    exact = wilcox.test(a, b, exact = TRUE)$p.value,
		    normal = wilcox.test(a, b, exact = FALSE, correct = TRUE)$p.value)
	differences <- outer(b, a, "-")
	row(kind, paste(a, collapse = ","), paste(b, collapse = ","), number(p),
	    number(median(differences)), number(mean(sign(differences))))
}
rows <- character()
for (i in 1:150) { # few distinct values: ties; eighths, so that differences are exact
	n <- sample(8, 2, replace = TRUE)
	rows <- c(rows, rank_row("enumerated", sample(sample(2:9, 1), n[1], replace = TRUE) / 8,
				 (sample(sample(2:9, 1), n[2], replace = TRUE) + sample(-2:2, 1)) / 8))
}
for (i in 1:60) { # no ties
	n <- sample(2:32, 2, replace = TRUE)
	all <- sample(4000, sum(n))
	rows <- c(rows, rank_row("exact", all[1:n[1]] / 8,
				 all[-(1:n[1])] / 8 + sample(-60:60, 1) + 1 / 16))
}
for (i in 1:40) { # beyond the exact size, with ties
	n <- c(sample(5:60, 1), sample(65:90, 1))
	rows <- c(rows, rank_row("normal", sample(40, n[1], replace = TRUE) / 8,
				 (sample(40, n[2], replace = TRUE) + sample(0:6, 1)) / 8))
}
write_table("rank.tsv",
	    "p: combn() of rank(), wilcox.test(exact = TRUE), wilcox.test(exact = FALSE); outer(b, a, \"-\")",
	    "kind a b p shift delta", rows)
