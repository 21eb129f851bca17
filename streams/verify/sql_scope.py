"""Which common table expression a table name means, by SQL's scoping."""

from sqlglot import exp


def cte_of(table: exp.Table) -> exp.CTE | None:
    """The CTE that an unqualified table refers to, None where none of that name is in scope.

    A CTE is seen by its own query and by the CTEs after it. Under RECURSIVE it is also seen by its
    own step, the second part of its UNION: in the first part DuckDB takes the name for a table's.
    """
    name = table.name.lower()
    node: exp.Expr = table
    inside: exp.CTE | None = None
    in_step = False
    while node.parent is not None:
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node.parent.parent, exp.CTE) and isinstance(node.parent, exp.Union):
            in_step = node.arg_key == "expression"
        node = node.parent
        with_ = node.args.get("with_")
        if isinstance(with_, exp.With):
            cte: exp.CTE
            for cte in with_.expressions:
                if cte is inside and not (with_.recursive and in_step):
                    break
                if cte.alias.lower() == name:
                    return cte
                if cte is inside:
                    break
            inside, in_step = None, False
    return None
