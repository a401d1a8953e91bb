import ArgumentParser
import FoundationEssentials
import Freezing
import Reporting
import Safetensors

/// What is written beside the model.
struct ReportArguments: ParsableArguments {
    @Option(help: "Write a report with pictures, one HTML page.", completion: .file(extensions: ["html"]))
    var report: String?

    @Option(
        help: "Write the statistics as tensors named by their labels.",
        completion: .file(extensions: ["safetensors"])
    )
    var statistics: String?

    @Option(help: "Write the report as JSON.", completion: .file(extensions: ["json"]))
    var json: String?

    /// Where files are to appear.
    var paths: [String] { [report, statistics, json].compactMap(\.self) }

    /// The contents of the files.
    func files(_ report: FreezeReport, _ tensors: SafetensorsFile) throws -> [(path: String, bytes: Data)] {
        var files: [(path: String, bytes: Data)] = []
        if let path = self.report { files.append((path, Data(report.html().utf8))) }
        if let path = json { files.append((path, try report.json())) }
        if let path = statistics {
            files.append((path, try CommandFault.locating(path) { try tensors.serialized() }))
        }
        return files
    }
}
