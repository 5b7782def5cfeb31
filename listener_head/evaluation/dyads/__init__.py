"""Evaluation of listener policies on dyads: the paper's Table 2, later measures, ablation, responsiveness."""
