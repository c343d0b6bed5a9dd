"""The shop itself: nine services, thirteen edges, up to four deep, and three third parties.

No route, log line or flag holds a service's name, so that a renamed run gives nothing away.
"""

from shop.model import Call, Job, Log, Query, Refuse, Route, Service, System, Together, Work

_STOREFRONT = Service(
    name="storefront",
    flags=("winter-banner", "lazy-images"),
    routes=(
        Route(
            method="GET",
            path="/",
            steps=(
                Log(level="debug", text="rendering front page for {user}"),
                Together(
                    calls=(
                        Call(service="catalog", method="GET", path="/products"),
                        Call(service="recommendations", method="GET", path="/suggestions/{user}"),
                    )
                ),
                Work(name="render page", ms=3),
                Log(level="info", text="front page served to {user} with {n} tiles"),
            ),
        ),
        Route(
            method="GET",
            path="/search",
            steps=(
                Call(service="catalog", method="GET", path="/search"),
                Work(name="render results", ms=3),
                Log(level="info", text="search in {category} gave {n} results for {user}"),
            ),
        ),
        Route(
            method="GET",
            path="/p/{sku}",
            steps=(
                Call(service="catalog", method="GET", path="/products/{sku}"),
                Work(name="render page", ms=2),
                Log(level="info", text="product page {sku} served to {user}"),
            ),
        ),
        Route(
            method="GET",
            path="/basket",
            steps=(
                Call(service="cart", method="GET", path="/baskets/{user}"),
                Log(level="info", text="basket of {user} shown"),
            ),
        ),
        Route(
            method="POST",
            path="/basket/items",
            steps=(
                Call(service="cart", method="POST", path="/baskets/{user}/items"),
                Log(level="info", text="{user} put {sku} into the basket"),
            ),
        ),
        Route(
            method="POST",
            path="/order",
            steps=(
                Work(name="check session", ms=1),
                Call(service="checkout", method="POST", path="/orders"),
                Log(level="info", text="order {ref} confirmed to {user}"),
                Log(level="warning", text="confirmation mail for {ref} queued late", share=0.02),
            ),
        ),
    ),
)

_CATALOG = Service(
    name="catalog",
    instances=2,
    flags=("fuzzy-match", "image-cdn"),
    routes=(
        Route(
            method="GET",
            path="/products",
            steps=(
                Work(name="load products", ms=4),
                Call(service="pricing", method="GET", path="/prices"),
                Log(level="info", text="listed {n} products of {category}"),
            ),
        ),
        Route(
            method="GET",
            path="/search",
            steps=(
                Log(level="debug", text="query plan for {category}: index scan, {n} candidates"),
                Work(name="match query", ms=8),
                Work(name="rank results", ms=3),
                Call(service="pricing", method="GET", path="/prices"),
                Log(level="info", text="query in {category} matched {n} products in {n} ms"),
                Log(level="warning", text="index segment {n} of {category} is stale", share=0.01),
            ),
        ),
        Route(
            method="GET",
            path="/products/{sku}",
            steps=(
                Work(name="load product", ms=3),
                Together(
                    calls=(
                        Call(service="pricing", method="GET", path="/prices/{sku}"),
                        Call(service="inventory", method="GET", path="/stock/{sku}"),
                    )
                ),
                Log(level="info", text="product {sku} assembled"),
            ),
        ),
    ),
)

_PRICING = Service(
    name="pricing",
    flags=("rounding-v2",),
    routes=(
        Route(
            method="GET",
            path="/prices",
            steps=(
                Work(name="load price list", ms=4),
                Log(level="info", text="price list of {category}: {n} entries"),
            ),
        ),
        Route(
            method="GET",
            path="/prices/{sku}",
            steps=(
                Log(level="debug", text="price rules for {sku}: {n} applied"),
                Work(name="apply price rules", ms=3),
                Log(level="info", text="{sku} priced at {n} cents"),
                Log(level="warning", text="exchange rate is {n} minutes old", share=0.01),
            ),
        ),
    ),
)

_RECOMMENDATIONS = Service(
    name="recommendations",
    flags=("diversity-boost", "seasonal-mix"),
    routes=(
        Route(
            method="GET",
            path="/suggestions/{user}",
            steps=(
                Work(name="score candidates", ms=6),
                Call(service="catalog", method="GET", path="/products"),
                Log(level="info", text="{n} suggestions for {user} from model r{n}"),
                Log(level="warning", text="no history for {user}, using bestsellers", share=0.08),
            ),
        ),
    ),
)

_CART = Service(
    name="cart",
    flags=("basket-ttl", "gift-note"),
    routes=(
        Route(
            method="GET",
            path="/baskets/{user}",
            steps=(
                Work(name="load basket", ms=3),
                Call(service="pricing", method="GET", path="/prices"),
                Log(level="info", text="basket of {user} has {n} items"),
            ),
        ),
        Route(
            method="POST",
            path="/baskets/{user}/items",
            steps=(
                Call(service="inventory", method="GET", path="/stock/{sku}"),
                Work(name="save basket", ms=4),
                Log(level="info", text="added {sku} to basket of {user}"),
            ),
        ),
    ),
)

_CHECKOUT = Service(
    name="checkout",
    instances=2,
    flags=("express-lane", "slot-hints"),
    routes=(
        Route(
            method="POST",
            path="/orders",
            steps=(
                Log(level="info", text="order {ref} opened by {user}"),
                Call(service="cart", method="GET", path="/baskets/{user}"),
                Call(service="inventory", method="POST", path="/reservations"),
                Call(service="payment", method="POST", path="/charges"),
                Call(service="shipping", method="POST", path="/shipments"),
                Work(name="write order", ms=3),
                Call(service="mail.example", method="POST", path="/messages", outside=True),
                Log(level="info", text="order {ref} placed, total {n} cents"),
            ),
        ),
    ),
)

_INVENTORY = Service(
    name="inventory",
    instances=2,
    flags=("low-stock-hint", "bin-lookup"),
    database=True,
    jobs=(
        Job(
            name="reconcile reservations",
            pause_ms=600,
            steps=(
                Query(
                    sql="SELECT sku, reserved FROM stock WHERE reserved > 0", table="stock", ms=550
                ),
            ),
        ),
    ),
    routes=(
        Route(
            method="GET",
            path="/stock/{sku}",
            steps=(
                Query(sql="SELECT quantity FROM stock WHERE sku = :sku", table="stock", ms=3),
                Log(level="info", text="{sku}: {n} pieces on hand"),
            ),
        ),
        Route(
            method="POST",
            path="/reservations",
            steps=(
                Query(sql="SELECT quantity FROM stock WHERE sku = :sku", table="stock", ms=2),
                Query(
                    sql="UPDATE stock SET reserved = reserved + 1 WHERE sku = :sku",
                    table="stock",
                    ms=4,
                ),
                Log(level="info", text="reserved {sku} for {user}, reservation {ref}"),
                Log(level="warning", text="{sku} is below its reorder level", share=0.03),
            ),
        ),
    ),
)

_PAYMENT = Service(
    name="payment",
    flags=("soft-descriptor",),
    routes=(
        Route(
            method="POST",
            path="/charges",
            steps=(
                Log(level="debug", text="charge {ref}: risk score {n}"),
                Refuse(share=0.015, text="card of {user} declined, charge {ref}"),
                Work(name="score risk", ms=5),
                Call(service="cards.example", method="POST", path="/captures", outside=True),
                Log(level="info", text="charge {ref} captured, {n} cents"),
                Log(level="error", text="receipt {ref} not archived, will retry", share=0.004),
            ),
        ),
    ),
)

_SHIPPING = Service(
    name="shipping",
    flags=("carrier-choice",),
    routes=(
        Route(
            method="POST",
            path="/shipments",
            steps=(
                Call(service="parcels.example", method="GET", path="/quotes", outside=True),
                Work(name="choose carrier", ms=3),
                Log(level="info", text="shipment {ref} booked, parcel of {n} g"),
                Log(level="warning", text="carrier quote {ref} from cache", share=0.03),
            ),
        ),
    ),
)

SERVICES: System = {
    service.name: service
    for service in (
        _STOREFRONT,
        _CATALOG,
        _PRICING,
        _RECOMMENDATIONS,
        _CART,
        _CHECKOUT,
        _INVENTORY,
        _PAYMENT,
        _SHIPPING,
    )
}
