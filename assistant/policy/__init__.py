"""Which actions may be done, and by how many yeses: rules of the team, asked of complete facts."""
