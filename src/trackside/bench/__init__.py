"""Pure analysis of benchmark runs: text and frames in, frames and records out."""
