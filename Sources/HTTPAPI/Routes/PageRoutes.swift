import HTTPServer
import NIOCore

/// What people read: the front page and the description of the interface.
struct PageRoutes {
    let models: @Sendable () -> [String]

    var routes: [Route] {
        let description = HTTPResponse(
            status: .ok,
            headers: ["Content-Type": "application/yaml"],
            body: ByteBuffer(bytes: PackageResources.openapi_yaml)
        )
        return [
            Route(.GET, "/") { [models] _ in
                .now(.page(Self.page(models: models())))
            },
            Route(.GET, "/openapi.yaml", scope: nil) { _ in .now(description) },
        ]
    }

    private static func page(models: [String]) -> String {
        let items = models.map { name in
            let text = escape(name)
            return "<li><a href=\"/v1/models/\(text)/metadata\">\(text)</a></li>"
        }
        return """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <title>seqnorm</title>
            <h1>seqnorm</h1>
            <p>Serves sequence models whose batch normalization is frozen.</p>
            <h2>Models</h2>
            <ul>\(items.joined())</ul>
            <h2>See also</h2>
            <ul>
            <li><a href="/openapi.yaml">openapi.yaml</a>: every route, body and error</li>
            <li><a href="/v1/models">/v1/models</a>, <a href="/v2">/v2</a></li>
            <li><a href="/readyz">/readyz</a>, <a href="/livez">/livez</a>, <a href="/metrics">/metrics</a></li>
            </ul>
            </html>

            """
    }

    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
