"""What ``scripts/fuzz`` runs: one module per way of fuzzing."""
