"""Material of the side-effect ledger, written for this project; data, no logic beyond templates."""
