"""Names that other systems read (spans, metrics, attributes) and the words of the result."""

TRACER = "firstline"
SPAN_STAGE = "firstline.stage"
ATTRIBUTE_STAGE = "firstline.stage.name"
ATTRIBUTE_CONNECTOR = "firstline.connector.name"
