"""The ledger of looks at a test part: a test set wears out."""

import datetime
import json


def note(folder, why):
    """Write down in looks.json of a package that its test part is looked at now; gives how often that was."""
    ledger = folder / "looks.json"
    looks = json.loads(ledger.read_text()) if ledger.exists() else []
    looks.append({"date": datetime.date.today().isoformat(), "why": why})
    ledger.write_text(json.dumps(looks, indent=1) + "\n")
    return len(looks)
