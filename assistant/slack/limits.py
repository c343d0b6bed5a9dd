"""What Slack takes at most. Numbers with names, so that a sender and a judge mean the same one.

Lengths are in characters. Sources: the reference pages of docs.slack.dev and the validators of
slack_sdk 3.47; MESSAGE_BLOCKS_TOTAL is documented nowhere and was measured by users
(slackapi/bolt-js issue 2509), which is why senders keep to the smaller BLOCKS_BUDGET.
"""

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_BLOCKS_TOTAL = 13_000
BLOCKS_BUDGET = 12_000
VIEW_BYTES = 250_000
VIEW_STACK = 3
TABLES = 1

POSTED_TEXT = 40_000  # longer text is cut, not refused
UPDATED_TEXT = 4_000
METADATA_BYTES = 8_000

TEXT = 3_000
FIELDS = 10
FIELD = 2_000
HEADER = 150
CONTEXT_ELEMENTS = 10
CONTEXT_ACTIONS = 5
ACTIONS = 25
MARKDOWN = 12_000  # all markdown blocks of one message together
TABLE_ROWS = 100
TABLE_COLUMNS = 20
ALERT = 200
CONTAINER_BLOCKS = 10
CONTAINER_TITLE = 150
ALT_TEXT = 2_000
IMAGE_TITLE = 2_000
LABEL = 2_000
PLACEHOLDER = 150

BUTTON = 75
BUTTON_VALUE = 2_000
BUTTON_VIEWERS = 10
URL = 3_000
OPTIONS = 100
OPTION = 75
OPTION_VALUE = 150
OVERFLOW_OPTIONS = 5
CHOICES = 10  # check boxes, radio buttons
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30

ID = 255  # action_id, block_id, callback_id
PRIVATE_METADATA = 3_000
VIEW_TITLE = 24
VIEW_BUTTON = 24

CHANNEL_NAME = 80
TOPIC = 250
INVITED = 100

TRIGGER_SECONDS = 3.0
ACK_SECONDS = 3.0
SOCKETS = 10
TICKET_SECONDS = 30.0
RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 1_800.0
STREAMS_A_MINUTE = 20  # chat.startStream and chat.stopStream, of the whole app
APPENDS_A_MINUTE = 100
POSTS_PER_SECOND = 1.0  # for each channel, sustained
