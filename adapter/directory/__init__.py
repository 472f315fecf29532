"""Who is who: the authority's signed directory, verified, fresh, never rolled back."""
