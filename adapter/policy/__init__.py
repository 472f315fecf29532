"""Who may ask what, when and why. Pure: facts, rules, directory and the time in; a decision or an error out."""
