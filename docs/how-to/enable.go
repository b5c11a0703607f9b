package howto

import _ "github.com/seed-c4549abd/wss/http2/enable"
