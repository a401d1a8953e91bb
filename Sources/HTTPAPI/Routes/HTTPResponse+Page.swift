import HTTPServer
import NIOCore
import NIOHTTP1

extension HTTPResponse {
    /// A page without scripts, styles and frames, and a browser that holds it to that.
    static func page(_ html: String) -> HTTPResponse {
        HTTPResponse(
            status: .ok,
            headers: [
                "Content-Type": "text/html; charset=utf-8",
                "Content-Security-Policy":
                    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Resource-Policy": "same-origin",
            ],
            body: ByteBuffer(string: html)
        )
    }
}
