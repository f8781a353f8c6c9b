"""From events to plans to effects: what hooks want is compared with what is stored, and what is due is run."""
