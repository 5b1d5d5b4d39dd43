// Results and reports on their way to the disk.

const DIRECT = 300e6; // bytes: larger results are not held in memory on their way

/** The name of a file without its suffix. */
export const stem = (name) => name.replace(/(\.nii)?\.[^.]*$/, "") || name;

/** Save a part of a job ("result", "report.html", "report.json") under a name; a Refusal where it is not there. */
export async function save(service, job, part, name, bytes) {
  if (bytes > DIRECT && !service.hasToken) {
    await service.call("GET", job); // a link could not tell why it fails
    follow(`${job}/${part}`, name);
    return;
  }
  const address = URL.createObjectURL(await (await service.call("GET", `${job}/${part}`)).blob());
  follow(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function follow(address, name) {
  const link = Object.assign(document.createElement("a"), { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}
